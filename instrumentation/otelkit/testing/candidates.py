"""Choosing among what was captured, and saying what came nearest where nothing fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from re import Pattern
from typing import Any

MOST_SHOWN = 5
"""Candidates that a failure shows in full; of the others it gives the names."""

_NOTHING = (
    "No {what} was captured at all. Was the request made inside of capture(), and by a test client that had made none before? "
    "A client keeps the middleware of its first request."
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One captured thing: its name, what can be asked of it, and the dict that the caller gets."""

    name: str
    facts: Mapping[str, Any]
    item: dict[str, Any]


def choose(
    what: str, name: str | Pattern[str], conditions: Mapping[str, Any], candidates: Sequence[Candidate], times: int
) -> list[dict[str, Any]]:
    """The candidates of this name for which every condition holds. Raises AssertionError unless there are ``times`` of them.

    A condition's value is compared by ``==``; a compiled pattern is searched for, and None means that there must be no such key.
    ``what`` is the word for one of them in the failure message, like "span".
    """
    __tracebackhide__ = True  # here and below: pytest then shows the test's line, not ours
    fitting = [candidate for candidate in candidates if _fits(name, candidate.name) and not _misfits(conditions, candidate)]
    if len(fitting) != times:
        raise AssertionError(_complaint(what, name, conditions, candidates, len(fitting), times))
    return [candidate.item for candidate in fitting]


def _fits(wanted: Any, actual: Any) -> bool:
    if isinstance(wanted, Pattern):
        return isinstance(actual, str) and wanted.search(actual) is not None
    return bool(wanted == actual)


def _misfits(conditions: Mapping[str, Any], candidate: Candidate) -> dict[str, Any]:
    return {key: wanted for key, wanted in conditions.items() if not _fits(wanted, candidate.facts.get(key))}


def _complaint(
    what: str, name: str | Pattern[str], conditions: Mapping[str, Any], candidates: Sequence[Candidate], found: int, times: int
) -> str:
    if not candidates:
        return _NOTHING.format(what=what)
    asked = f" with {_pairs(conditions)}" if conditions else ""
    rows = [f"{found} {what}s are {_shown(name)}{asked}; there should be {times}."]
    ranked = sorted(candidates, key=lambda candidate: _nearness(name, conditions, candidate), reverse=True)
    rows += ["Nearest:", *_grouped(_described(name, conditions, candidate) for candidate in ranked[:MOST_SHOWN])]
    if others := _grouped(repr(candidate.name) for candidate in ranked[MOST_SHOWN:]):
        rows += ["Others:", *others]
    return "\n".join(rows)


def _nearness(name: str | Pattern[str], conditions: Mapping[str, Any], candidate: Candidate) -> float:
    wanted = name.pattern if isinstance(name, Pattern) else name
    likeness = 1.0 if _fits(name, candidate.name) else SequenceMatcher(None, wanted, candidate.name).ratio()
    return 2 * likeness - len(_misfits(conditions, candidate)) / (len(conditions) or 1)


def _described(name: str | Pattern[str], conditions: Mapping[str, Any], candidate: Candidate) -> str:
    facts = candidate.facts
    differs = [
        f"{key}={_shown(facts[key])}, not {_shown(wanted)}" if key in facts else f"no {key}"
        for key, wanted in _misfits(conditions, candidate).items()
    ]
    if not differs and not _fits(name, candidate.name):
        differs = ["another name"] if conditions else []
    return f"{candidate.name!r}{': ' if differs else ''}{'; '.join(differs)}"


def _grouped(rows: Iterable[str]) -> list[str]:
    return [f"  {row}" + (f"  ({times} times)" if times > 1 else "") for row, times in Counter(rows).items()]


def _pairs(conditions: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={_shown(value)}" for key, value in conditions.items())


def _shown(value: Any) -> str:
    return f"/{value.pattern}/" if isinstance(value, Pattern) else repr(value)
