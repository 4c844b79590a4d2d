"""Relations of spans within their trace: parent, ancestor, sibling, their negations and unions."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable

from otelkit_stack.traceql.spans import Span

Related = Callable[[Span], bool]


def related(operator: str, left: list[Span], right: list[Span]) -> list[Span]:
    """Spans of the right that stand in the relation to one of the left, with ``!`` to none, with ``&`` those of both sides that do."""
    relation = operator.lstrip("!&")
    if operator == "!~":
        relation = "~"
    for spans in (left, right):
        if spans and spans[0].trace is not None:
            _ = spans[0].trace.is_numbered
    fits = _RELATIONS[relation](left)
    if operator.startswith("!"):
        return [span for span in right if not fits(span)]
    found = [span for span in right if fits(span)]
    if not operator.startswith("&"):
        return found
    fits_back = _RELATIONS[_OPPOSITES[relation]](right)
    known = set(map(id, found))
    return [*found, *(span for span in left if id(span) not in known and fits_back(span))]


def _child_of(spans: list[Span]) -> Related:
    places = {span.left for span in spans if span.left}
    return lambda span: span.parent in places


def _parent_of(spans: list[Span]) -> Related:
    places = {span.parent for span in spans if span.parent > 0}
    return lambda span: bool(span.left) and span.left in places


def _below(spans: list[Span]) -> Related:
    """Spans enclosed by one of these: nested intervals, of which only the outermost matter, and those do not overlap."""
    lefts: list[int] = []
    rights: list[int] = []
    for left, right in sorted((span.left, span.right) for span in spans if span.left):
        if not rights or right > rights[-1]:
            lefts.append(left)
            rights.append(right)

    def fits(span: Span) -> bool:
        at = bisect_left(lefts, span.left) - 1
        return bool(span.left) and at >= 0 and span.right < rights[at]

    return fits


def _above(spans: list[Span]) -> Related:
    """Spans that enclose one of these: whose interval holds the left end of another."""
    lefts = sorted(span.left for span in spans if span.left)
    return lambda span: bool(span.left) and bisect_right(lefts, span.left) < bisect_left(lefts, span.right)


def _beside(spans: list[Span]) -> Related:
    by_parent: dict[int, list[Span]] = {}
    for span in spans:
        if span.parent:
            by_parent.setdefault(span.parent, []).append(span)

    def fits(span: Span) -> bool:
        others: Iterable[Span] = by_parent.get(span.parent, ()) if span.parent else ()
        return any(other is not span for other in others)

    return fits


# The right side's relation to the left one: `{a} > {b}` gives children.
_RELATIONS: dict[str, Callable[[list[Span]], Related]] = {">": _child_of, "<": _parent_of, ">>": _below, "<<": _above, "~": _beside}
_OPPOSITES = {">": "<", "<": ">", ">>": "<<", "<<": ">>", "~": "~"}
