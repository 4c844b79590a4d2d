"""What the receiver of each signal answered, and what its clock says."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from otelkit.doctor.examination import Examination
from otelkit.doctor.fixes import Failure, fix_for, fix_for_refused_items
from otelkit.doctor.hop import Hop, Outcome
from otelkit.doctor.listening import Exchange, Heard
from otelkit.export.connection import proxy_for
from otelkit.export.sender import Verdict
from otelkit.redaction import redact_url

_CLOCKS_DIFFER = 60.0
"""Seconds from which on two machines' telemetry does not fit together; Prometheus refuses samples that come from the future."""


def receiver(examination: Examination, signal: str) -> Iterator[Hop]:
    """One signal."""
    if "otlp" not in examination.exporters(signal):
        where = examination.project.where(f"{signal}.exporters")
        told = ", ".join(examination.exporters(signal)) or "none"
        yield Hop(signal, Outcome.SKIP, f"not sent over OTLP: {where} is {told}")
        return
    address = examination.config.export.address(signal)
    heard = examination.sender.heard.get(signal) if examination.sender else None
    proxy = proxy_for(address)
    shown = redact_url(address) + (f", by the proxy {redact_url(proxy)}," if proxy else "")
    if heard is None or heard.answer is None:
        said = f"nothing was sent to {shown} within {examination.timeout:g} s"
        yield Hop(signal, Outcome.FAIL, said, "Does its host's name resolve here? Otherwise the project's own log says why.")
        return
    yield _judged(examination, signal, shown, heard)


def _judged(examination: Examination, signal: str, shown: str, heard: Heard) -> Hop:
    answer = heard.answer
    if answer is None or answer.verdict is not Verdict.DELIVERED:
        detail = answer.detail if answer else ""
        failure = Failure(examination.project, signal, detail, heard.exchange, examination.timeout)
        return Hop(signal, Outcome.FAIL, f"{shown}: {detail}", fix_for(failure))
    if answer.rejected_items:
        why = answer.detail or "it does not say why"
        return Hop(signal, Outcome.FAIL, f"{shown} refused {answer.rejected_items} items: {why}", fix_for_refused_items(answer.detail))
    if signal == "traces" and not examination.trace_id:
        return Hop(
            signal,
            Outcome.FAIL,
            f"{shown} took what was sent, but the marked request has no span",
            "A sampler left it out: OTEL_TRACES_SAMPLER, or the tracer provider that the project has set itself.",
        )
    if answer.detail:
        return Hop(signal, Outcome.WARN, f"{shown} took them, and says: {answer.detail}", fix_for_refused_items(answer.detail))
    return Hop(signal, Outcome.PASS, f"{shown} took them")


def clock(examination: Examination) -> Iterator[Hop]:
    """The receiver's clock beside this machine's, as far as its answers carry a date."""
    heard = examination.sender.heard.values() if examination.sender else ()
    apart = [seconds for one in heard if one.exchange and (seconds := _ahead(one.exchange)) is not None]
    if not apart:
        yield Hop("clock", Outcome.SKIP, "no answer of a receiver carries a date")
        return
    ahead = max(apart, key=abs)
    if abs(ahead) <= _CLOCKS_DIFFER:
        yield Hop("clock", Outcome.PASS, "the receiver's clock agrees with this machine's")
        return
    direction = "ahead of" if ahead > 0 else "behind"
    yield Hop(
        "clock",
        Outcome.FAIL,
        f"the receiver's clock is {abs(ahead):.0f} s {direction} this machine's, so telemetry stands at another time than one looks at",
        "Let both machines keep time by NTP (timedatectl shows which one is wrong), then restart the service.",
    )


def _ahead(exchange: Exchange) -> float | None:
    try:
        return parsedate_to_datetime(exchange.headers.get("Date", "")).timestamp() - exchange.at
    except (TypeError, ValueError, OverflowError):
        return None
