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
        yield _unsent(examination, signal, shown)
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
        return _unsampled(examination, f"{shown} took what was sent, but")
    if answer.detail:
        return Hop(signal, Outcome.WARN, f"{shown} took them, and says: {answer.detail}", fix_for_refused_items(answer.detail))
    return Hop(signal, Outcome.PASS, f"{shown} took them")


def _unsent(examination: Examination, signal: str, shown: str) -> Hop:
    if signal == "traces" and examination.sender and examination.sender.heard:  # something was sent, so the exporter is at work
        return _unsampled(examination, f"nothing was sent to {shown}:")
    said = f"nothing was sent to {shown} within {examination.timeout:g} s"
    return Hop(signal, Outcome.FAIL, said, "Does its host's name resolve here? Otherwise the project's own log says why.")


def _unsampled(examination: Examination, said: str) -> Hop:
    ratio = f"{examination.project.where('traces.sample_ratio')} is {examination.config.traces.sample_ratio:g}"
    fix = f"A sampler left it out: {ratio}; a tracer provider that the project has set itself has a sampler of its own."
    return Hop("traces", Outcome.FAIL, f"{said} the marked request has no span", fix)


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
        "Let both machines keep time by NTP; timedatectl shows which one is wrong.",
    )


def _ahead(exchange: Exchange) -> float | None:
    try:
        return parsedate_to_datetime(exchange.headers.get("Date", "")).timestamp() - exchange.at
    except (TypeError, ValueError, OverflowError):
        return None
