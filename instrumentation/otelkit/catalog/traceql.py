"""TraceQL from labels, so that a misspelled attribute is an error here and not an empty panel.

    >>> from otelkit.catalog.labels import HTTP_ROUTE, SERVICE_NAME
    >>> from otelkit.catalog.promql import equals
    >>> print(spans(equals(SERVICE_NAME, "orders"), equals(HTTP_ROUTE, "/orders/{pk}"), status="error"))
    { resource.service.name="orders" && span.http.route="/orders/{pk}" && status=error }

Attributes of the resource and of the span are told apart by the catalogue: what Prometheus promotes is the resource's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from otelkit.catalog.labels import RESOURCE, Label
from otelkit.catalog.promql import Matcher, number
from otelkit.catalog.spans import SPANS

KNOWN_LABELS = frozenset((*RESOURCE, *(label for span in SPANS for label in span.attributes)))
"""Every attribute that a TraceQL expression of ours may name."""


@dataclass(frozen=True, slots=True)
class TraceExpr:
    """A TraceQL expression: a search for traces by their spans, or one trace by its id."""

    text: str

    def __str__(self) -> str:
        return self.text

    def having_below(self, other: TraceExpr) -> TraceExpr:
        """Spans of ``other`` that are descendants of these."""
        return TraceExpr(f"{self.text} >> {other.text}")

    def select(self, *shown: Label) -> TraceExpr:
        """The same spans, with these attributes as columns."""
        return TraceExpr(f"{self.text} | select({', '.join(map(attribute_name, shown))})")


def spans(
    *where: Matcher,
    kind: Literal["", "server", "client", "producer", "consumer", "internal"] = "",
    status: Literal["", "error", "ok", "unset"] = "",
    longer_than: float = 0,
) -> TraceExpr:
    """Spans that meet all conditions; ``longer_than`` is in seconds. Raises TypeError for a label that spans do not have."""
    conditions = [f"{attribute_name(matcher.label)}{matcher.condition}" for matcher in where]
    if kind:
        conditions.append(f"kind={kind}")
    if status:
        conditions.append(f"status={status}")
    if longer_than:
        conditions.append(f"duration>{number(round(longer_than * 1000, 6))}ms")
    return TraceExpr(f"{{ {' && '.join(conditions)} }}" if conditions else "{}")


def by_id(trace_id: str) -> TraceExpr:
    """One whole trace."""
    return TraceExpr(trace_id)


def attribute_name(label: Label) -> str:
    """The label as TraceQL spells it: ``resource.service.name``, ``span.http.route``."""
    if label not in KNOWN_LABELS:
        raise TypeError(f"Spans have no attribute {label.name}; add it to its span in otelkit.catalog.spans.")
    return f"{'resource' if label in RESOURCE else 'span'}.{label.name}"
