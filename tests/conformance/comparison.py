"""Upstream's facts beside ours: what differs, and what the table of intended differences says about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.conformance.differences import Difference
from tests.conformance.observation import Facts

ABSENT = "(absent)"


def differing(upstream: Facts, ours: Facts) -> dict[str, str]:
    """Fact -> both values in words. Where only one side has a span or a duration, that is the difference, and its parts are none."""
    one_sided = tuple(
        prefix for prefix, count in (("span.", "server spans"), ("duration.", "durations")) if bool(upstream[count]) != bool(ours[count])
    )
    found = {}
    for fact in sorted(upstream.keys() | ours.keys()):
        theirs, own = upstream.get(fact, ABSENT), ours.get(fact, ABSENT)
        if theirs != own and not fact.startswith(one_sided):
            found[fact] = f"upstream {theirs!r}, otelkit {own!r}"
    return found


def complaints(request: str, differences: Mapping[str, str], intended: Iterable[Difference]) -> list[str]:
    """A sentence for each difference that nobody intended, and for each intended one that is none (any more)."""
    reasons = [difference for difference in intended if request in difference.requests]
    listed = [difference.fact for difference in reasons]
    found = [f"{request}: {fact} differs, and nobody says why: {values}." for fact, values in differences.items() if fact not in listed]
    found += [
        f"{request}: {difference.fact} is listed as different ({difference.why}) and is not."
        for difference in reasons
        if difference.fact not in differences
    ]
    found += [f"{request}: {fact} is listed twice." for fact in sorted(set(listed)) if listed.count(fact) > 1]
    return found
