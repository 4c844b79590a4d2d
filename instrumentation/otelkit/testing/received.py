"""What a receiver was sent, as dicts, with assertions about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from re import Pattern
from typing import Any

from otelkit.testing.candidates import Candidate, choose
from otelkit.testing.decoding import decode_logs, decode_metrics, decode_spans
from otelkit.testing.queries import QueryAssertions
from otelkit.testing.secrets import SecretAssertions


class Received(QueryAssertions, SecretAssertions):
    """Requests of OTLP/HTTP, decoded: for a receiver of your own, ``Received([("traces", body), ...])`` with bodies that are not zipped.

    Conditions of the assertions are compared by ``==``, so ``pytest.approx`` and ``mock.ANY`` work; a compiled pattern is searched for, and
    None means that there must be no such key. A failure shows what came nearest.
    """

    def __init__(self, bodies: Iterable[tuple[str, bytes]]) -> None:
        self._bodies = list(bodies)

    def bodies(self, signal: str) -> list[bytes]:
        """The requests of one signal (traces, metrics or logs), in order."""
        return [body for name, body in self._bodies if name == signal]

    @property
    def spans(self) -> list[dict[str, Any]]:
        """Spans in the order they ended, as dicts: name, kind, trace_id, span_id, parent_span_id, status, attributes, events, ..."""
        return decode_spans(self.bodies("traces"))

    @property
    def metrics(self) -> dict[str, list[dict[str, Any]]]:
        """The newest value of each metric: name -> points.

        Each has attributes and value, or count, sum, bounds, buckets and all exemplars so far.
        """
        return decode_metrics(self.bodies("metrics"))

    @property
    def logs(self) -> list[dict[str, Any]]:
        """Log records that were exported over OTLP, as dicts: body, severity, event_name, trace_id, span_id, attributes."""
        return decode_logs(self.bodies("logs"))

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Log lines with the keys of their JSON form: timestamp, level, message, logger, trace_id, and the caller's own."""
        return [
            {"message": log["body"], "logger": log["logger"], "trace_id": log["trace_id"], "span_id": log["span_id"], **log["attributes"]}
            for log in self.logs
        ]

    def span(self, name: str) -> dict[str, Any]:
        """The one span of this name. Raises AssertionError, showing the nearest, unless there is exactly one."""
        __tracebackhide__ = True
        return self.assert_span(name)

    def point(self, metric: str, **attributes: Any) -> dict[str, Any]:
        """The one point of a metric with these attributes (dots as underscores). Raises AssertionError unless there is exactly one."""
        __tracebackhide__ = True
        candidates = [
            Candidate(metric, {key.replace(".", "_"): value for key, value in point["attributes"].items()}, point)
            for point in self.metrics.get(metric, ())
        ]
        return choose("point", metric, attributes, candidates, 1)[0] if candidates else self.assert_metric(metric)

    def assert_span(
        self,
        name: str | Pattern[str],
        attributes: Mapping[str, Any] | None = None,
        /,
        *,
        kind: str | None = None,
        status: str | None = None,
        parent: str | None = None,
        times: int = 1,
    ) -> dict[str, Any]:
        """The first span of this name with at least these attributes. Raises AssertionError unless there are ``times`` (1 or more).

        ``kind`` is SERVER, CLIENT, INTERNAL, PRODUCER or CONSUMER, ``status`` is UNSET, OK or ERROR, ``parent`` the parent's name.
        """
        __tracebackhide__ = True
        conditions = {**(attributes or {}), **_given(kind=kind, status=status, parent=parent)}
        return choose("span", name, conditions, self._span_candidates(), times)[0]

    def assert_metric(
        self,
        name: str | Pattern[str],
        labels: Mapping[str, Any] | None = None,
        /,
        *,
        value: float | None = None,
        count: int | None = None,
        times: int = 1,
    ) -> dict[str, Any]:
        """The first point of this metric with at least these labels. Raises AssertionError unless there are ``times`` (1 or more).

        ``name`` and labels are OpenTelemetry's (``http.server.request.duration``). ``value`` is that of a counter or gauge, ``count`` the
        number of observations of a histogram.
        """
        __tracebackhide__ = True
        candidates = [
            Candidate(metric, {**point["attributes"], **{key: point[key] for key in ("value", "count") if key in point}}, point)
            for metric, points in self.metrics.items()
            for point in points
        ]
        return choose("point", name, {**(labels or {}), **_given(value=value, count=count)}, candidates, times)[0]

    def assert_log(
        self, message: str | Pattern[str], keys: Mapping[str, Any] | None = None, /, *, level: str | None = None, times: int = 1
    ) -> dict[str, Any]:
        """The first log line of this message with at least these keys. Raises AssertionError unless there are ``times`` (1 or more).

        ``level`` is debug, info, warning, error or critical.
        """
        __tracebackhide__ = True
        candidates = [Candidate(str(line.get("message")), line, line) for line in self.lines]
        return choose("log line", message, {**(keys or {}), **_given(level=level)}, candidates, times)[0]

    def tree(self) -> str:
        """The spans as an indented text: a line each, children below their parent, in the order in which they began."""
        spans = sorted(self.spans, key=lambda span: span["start_ns"])
        known = {span["span_id"] for span in spans}
        children: dict[str | None, list[dict[str, Any]]] = {}
        for span in spans:
            parent = span["parent_span_id"]
            children.setdefault(parent if parent in known else None, []).append(span)
        return "\n".join(_branch(children, None, ""))

    def outputs(self) -> Iterator[tuple[str, Any]]:
        """Everything that left, each with the words for its place."""
        for span in self.spans:
            yield f"span {span['name']!r}", span
        for log in self.logs:
            yield f"OTLP log record {log['body']!r}", log
        for name, points in self.metrics.items():
            yield f"metric {name}", points
        for signal in ("traces", "metrics", "logs"):
            for body in self.bodies(signal):
                yield f"a request of {signal} (its raw bytes)", body

    def _span_candidates(self) -> list[Candidate]:
        spans = self.spans
        names = {span["span_id"]: span["name"] for span in spans}
        return [
            Candidate(
                span["name"],
                {**span["attributes"], "kind": span["kind"], "status": span["status"], "parent": names.get(span["parent_span_id"])},
                span,
            )
            for span in spans
        ]


def _given(**conditions: Any) -> dict[str, Any]:
    return {name: value for name, value in conditions.items() if value is not None}


def _branch(children: Mapping[str | None, list[dict[str, Any]]], parent: str | None, indent: str) -> Iterator[str]:
    for span in children.get(parent, ()):
        status = span["attributes"].get("http.response.status_code")
        said = [span["name"], *([str(status)] if status is not None else []), *(["ERROR"] if span["status"] == "ERROR" else [])]
        yield f"{indent}{'  '.join(said)}  {span['duration_s'] * 1000:.1f} ms"
        yield from _branch(children, span["span_id"], indent + "  ")
