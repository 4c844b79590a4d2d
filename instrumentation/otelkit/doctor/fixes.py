"""What to do about a receiver that did not take what was sent: from its answer, its address, and a look at what it speaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from otelkit.checks import Project
from otelkit.checks.endpoints import without_signal_path
from otelkit.doctor.listening import Exchange
from otelkit.doctor.probing import speaks_http2, speaks_tls
from otelkit.export.connection import proxy_for
from otelkit.redaction import redact_url

_OWN_LOG = "The receiver's own log says more."
_OF_TIME = ("out of order", "out of bounds", "too old", "too far", "future", "duplicate timestamp", "timestamp")


@dataclass(frozen=True, slots=True)
class Failure:
    """One export that failed: why, in the sender's words, and the answer, if one came."""

    project: Project
    signal: str
    detail: str
    exchange: Exchange | None
    timeout: float

    @property
    def address(self) -> str:
        """Where it was sent."""
        return self.project.config.export.address(self.signal)

    @property
    def parts(self) -> SplitResult:
        """The same in parts."""
        return urlsplit(self.address)

    @property
    def status(self) -> int:
        """Of the answer; 0 where none came."""
        return self.exchange.status if self.exchange else 0

    @property
    def where(self) -> str:
        """The place in which a person corrects the address."""
        own = f"export.{self.signal}_endpoint"
        if self.project.is_chosen(own):
            return self.project.where(own)
        if self.project.is_chosen("export.endpoint"):
            return self.project.where("export.endpoint")
        return 'OTELKIT["export"]["endpoint"] or OTEL_EXPORTER_OTLP_ENDPOINT'

    @property
    def configured(self) -> str:
        """The address as that place has it, without its secrets."""
        own = str(getattr(self.project.config.export, f"{self.signal}_endpoint"))
        return redact_url(own or self.project.config.export.endpoint)


Rule = Callable[[Failure], str | None]


def fix_for(failure: Failure) -> str:
    """The sentence for a person."""
    return next((fix for rule in _RULES if (fix := rule(failure))), _OWN_LOG)


def fix_for_refused_items(message: str) -> str:
    """The sentence about a partial success, by the receiver's message."""
    if any(word in message.lower() for word in _OF_TIME):
        return "Compare the clocks of both machines; for Prometheus set storage.tsdb.out_of_order_time_window, so that late samples count."
    return f"Change what its message names, here or in the receiver's limits and filters. {_OWN_LOG}"


def _proxy(failure: Failure) -> str | None:
    proxy = proxy_for(failure.address)
    if proxy and (failure.detail.startswith("the proxy") or failure.status in (403, 407, 502, 503, 504)):
        return (
            f"The way leads by the proxy {redact_url(proxy)}, which HTTP_PROXY or HTTPS_PROXY names. Take the collector out of it: "
            f"NO_PROXY={failure.parts.hostname}"
        )
    return None


def _unreachable(failure: Failure) -> str | None:
    if "resolved" in failure.detail:
        return (
            f'"{failure.parts.hostname}" is not known here; a name of compose or Kubernetes is known only inside. '
            f"Set {failure.where} to where it listens."
        )
    if "refused" in failure.detail:
        return f"Start a collector there (`otelkit stack` is one), or set {failure.where} to where it listens."
    if "no connection could be made" in failure.detail:
        return f"Is the machine up, and does a firewall let port {failure.parts.port} through? The address comes from {failure.where}."
    return None


def _tls(failure: Failure) -> str | None:
    if "does not speak TLS" in failure.detail:
        return f"Set {failure.where} to {_with_scheme(failure, 'http')}, or to the port that speaks TLS."
    if "another name" in failure.detail:
        return f"Set {failure.where} to the name that the certificate has, or let it be issued for {failure.parts.hostname}."
    if "expired" in failure.detail:
        return "Renew the certificate of the receiver."
    if "certificate" in failure.detail:
        return (
            "Set OTEL_EXPORTER_OTLP_CERTIFICATE to the file (PEM) of the authority that signed it; "
            "for a self-signed one, to that certificate itself."
        )
    return None


def _with_scheme(failure: Failure, scheme: str) -> str:
    return f"{scheme}://{failure.configured.partition('://')[2]}"


def _plain_words_to_tls(failure: Failure) -> str | None:
    """A web server that is spoken to without TLS says so in its page."""
    if failure.status == 400 and "https" in failure.detail.lower():
        return f"Set {failure.where} to {_with_scheme(failure, 'https')}."
    return None


def _other_protocol(failure: Failure) -> str | None:
    """Something listens, and did not answer in HTTP/1.1: a look at what it speaks instead."""
    if failure.exchange is not None:
        return None
    host, port = failure.parts.hostname or "", failure.parts.port or (443 if failure.parts.scheme == "https" else 80)
    patience = min(failure.timeout, 1.0)
    if proxy_for(failure.address) is None and failure.parts.scheme == "http":
        if speaks_http2(host, port, patience):
            return f"That is gRPC: port 4317 usually is, and OTLP/HTTP has 4318. Set {failure.where} to the port for HTTP."
        if speaks_tls(host, port, patience):
            return f"It speaks TLS: set {failure.where} to {_with_scheme(failure, 'https')}."
    what = "does not speak OTLP/HTTP, or is overloaded" if "in time" in failure.detail else "does not speak HTTP/1.1"
    return f"Something listens but {what}: OTLP/HTTP usually has port 4318, 4317 is gRPC. The address comes from {failure.where}."


def _not_admitted(failure: Failure) -> str | None:
    if failure.status in (401, 403):
        if headers := ", ".join(failure.project.config.export.headers):
            return f"The receiver does not accept {headers} as {failure.project.where('export.headers')} has it; ask for a valid token."
        return "Set the token the receiver asks for in OTEL_EXPORTER_OTLP_HEADERS, like authorization=Bearer%20..."
    return None


def _redirect(failure: Failure) -> str | None:
    if not 300 <= failure.status < 400 or failure.exchange is None:
        return None
    location = failure.exchange.headers.get("Location", "")
    if location == f"https://{failure.address.partition('://')[2]}":
        return f"Set {failure.where} to {_with_scheme(failure, 'https')}."
    return (
        f"Redirects are not followed. Is {redact_url(location) or 'its target'} a login page? Then a proxy for people stands before the "
        f"collector: set its token in OTEL_EXPORTER_OTLP_HEADERS, or {failure.where} to an address behind it. "
        "Else set it to the final address."
    )


def _wrong_path(failure: Failure) -> str | None:
    if failure.status not in (404, 405, 501) and "no OTLP receiver" not in failure.detail:
        return None
    root = without_signal_path(failure.configured)
    has_own = failure.project.is_chosen(f"export.{failure.signal}_endpoint")
    if has_own and failure.parts.path in ("", "/"):
        return f"Nothing is added to {failure.where}: write {root}/v1/{failure.signal}"
    if not has_own and root != failure.configured.rstrip("/"):
        return f"/v1/{failure.signal} is added to the endpoint, so it must be the collector's root: set {failure.where} to {root}"
    if failure.status == 404:
        return (
            f"The endpoint must be the collector's root, without /v1/{failure.signal}; it comes from {failure.where}. Is that a collector?"
        )
    return f"Another program listens there; an OTLP/HTTP receiver usually has port 4318. The address comes from {failure.where}."


def _overload(failure: Failure) -> str | None:
    if failure.status in (429, 502, 503, 504):
        return f"The receiver is there but takes nothing now: it is starting, overloaded, or its own backend is away. {_OWN_LOG}"
    if failure.status in (413, 415):
        return (
            "Let the receiver take protobuf with gzip in bodies of this size; OTEL_EXPORTER_OTLP_COMPRESSION=none sends them as they are."
        )
    return None


_RULES: tuple[Rule, ...] = (
    _proxy,
    _unreachable,
    _tls,
    _other_protocol,
    _plain_words_to_tls,
    _not_admitted,
    _redirect,
    _wrong_path,
    _overload,
)
