"""LogQL from labels and log keys, so that a misspelled key is an error here and not an empty panel.

    >>> from otelkit.catalog.labels import HTTP_ROUTE, SERVICE_NAME
    >>> from otelkit.catalog.promql import equals
    >>> print(lines(equals(SERVICE_NAME, "orders"), equals(HTTP_ROUTE, "/orders/{pk}")))
    {service_name="orders"} | http_route="/orders/{pk}"

Loki indexes three resource attributes of what it receives over OTLP; every other attribute is structured metadata, which
filters after the stream selector. Callers need not care: each condition is put where Loki wants it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from otelkit.catalog import labels, logs
from otelkit.catalog.labels import DEPLOYMENT_ENVIRONMENT_NAME, SERVICE_NAME, SERVICE_NAMESPACE, Label
from otelkit.catalog.naming import label_name
from otelkit.catalog.promql import Matcher

AUTO_INTERVAL = "$__auto"
"""Grafana's window for counting lines: one per drawn point, so that no line is counted twice or missed."""

INDEX_LABELS = (SERVICE_NAME, SERVICE_NAMESPACE, DEPLOYMENT_ENVIRONMENT_NAME)
"""The resource attributes of ours that Loki indexes (its ``otlp_config`` default); a stream selector needs one of them."""

DETECTED_LEVEL = Label(
    "detected_level",
    "Level of a line. Loki's: read from the severity of the record, or from the text where there is none.",
    ("trace", "debug", "info", "warn", "error", "critical", "fatal", "unknown"),
)
EVENT_NAME = Label(logs.EVENT_NAME, "Name of the event that the line records.")
TRACE_ID = Label(logs.TRACE_ID, "Trace in which the line was written.")
SPAN_ID = Label(logs.SPAN_ID, "Span in which the line was written.")

LOG_LABELS = (DETECTED_LEVEL, EVENT_NAME, TRACE_ID, SPAN_ID)
"""What a line may be filtered by beside the labels of metrics and of the resource."""

KNOWN_LABELS = frozenset((*LOG_LABELS, *(value for value in vars(labels).values() if isinstance(value, Label))))
"""Every label that a LogQL expression of ours may name."""


@dataclass(frozen=True, slots=True)
class LogExpr:
    """A LogQL expression: of lines, or of numbers counted from them."""

    text: str

    def __str__(self) -> str:
        return self.text


def lines(*where: Matcher) -> LogExpr:
    """The lines that meet all conditions.

    Raises ValueError where no condition is on an indexed label, and TypeError for a label that log lines do not have.
    """
    _require_known([matcher.label for matcher in where])
    streams = [str(matcher) for matcher in where if matcher.label in INDEX_LABELS]
    if not streams:
        names = ", ".join(label.name for label in INDEX_LABELS)
        raise ValueError(f"Loki reads all logs there are unless a condition is on one of {names}.")
    filters = "".join(f" | {matcher}" for matcher in where if matcher.label not in INDEX_LABELS)
    return LogExpr(f"{{{', '.join(streams)}}}{filters}")


def count_lines(*where: Matcher, by: Sequence[Label] = (), window: str = AUTO_INTERVAL) -> LogExpr:
    """The number of those lines within the window."""
    return _aggregate(by, f"count_over_time({lines(*where)} [{window}])")


def line_rate(*where: Matcher, by: Sequence[Label] = (), window: str = AUTO_INTERVAL) -> LogExpr:
    """Those lines a second."""
    return _aggregate(by, f"rate({lines(*where)} [{window}])")


def _aggregate(by: Sequence[Label], inner: str) -> LogExpr:
    _require_known(by)
    return LogExpr(f"sum by ({', '.join(map(label_name, by))}) ({inner})" if by else f"sum({inner})")


def _require_known(used: Sequence[Label]) -> None:
    for label in used:
        if label not in KNOWN_LABELS:
            raise TypeError(f"Log lines have no label {label.name}; add it to otelkit.catalog.labels or to LOG_LABELS.")
