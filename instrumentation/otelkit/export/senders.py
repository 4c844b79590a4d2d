"""What delivers each signal: HTTP, gRPC, or one for some and the other for the rest."""

from __future__ import annotations

from collections.abc import Callable

from otelkit.catalog.labels import SIGNAL
from otelkit.config import Export
from otelkit.config.export import GRPC
from otelkit.export.sender import Answer, HttpSender, Sender


class SplitSender:
    """A sender for each signal."""

    def __init__(self, senders: dict[str, Sender]) -> None:
        self._senders = senders

    def send(self, signal: str, body: bytes, timeout: float) -> Answer:
        """Delivers by the signal's own sender."""
        return self._senders[signal].send(signal, body, timeout)

    def reset(self) -> None:
        """Forgets the connections of all."""
        _each(self._senders, "reset")

    def close(self) -> None:
        """Ends the connections of all."""
        _each(self._senders, "close")


def sender_of(export: Export, http: Callable[[Export], Sender] = HttpSender) -> Sender:
    """A sender that speaks to each signal's receiver by its protocol; ``http`` makes the one for HTTP.

    Raises ImportError for gRPC without grpcio.
    """
    by_grpc = {signal for signal in SIGNAL.values if export.receiver(signal).protocol == GRPC}
    if not by_grpc:
        return http(export)
    from otelkit.export.grpc_sender import GrpcSender

    grpc = GrpcSender(export)
    if len(by_grpc) == len(SIGNAL.values):
        return grpc
    rest = http(export)
    return SplitSender({signal: grpc if signal in by_grpc else rest for signal in SIGNAL.values})


def _each(senders: dict[str, Sender], method: str) -> None:
    for sender in {id(sender): sender for sender in senders.values()}.values():
        call = getattr(sender, method, None)
        if call is not None:
            call()
