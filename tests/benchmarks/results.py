"""What a run measured, and the goals that it is held to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.benchmarks import subjects as s
from tests.benchmarks.flooding import Flood
from tests.benchmarks.measuring import Cost
from tests.benchmarks.serving import Service
from tests.benchmarks.stack import NEWEST, RATE, RATES, SEARCH, WATERFALL, Stack
from tests.benchmarks.stack_load import Ingest
from tests.benchmarks.subjects import Subject


@dataclass(slots=True)
class Results:
    """Everything that one run measured; what was left out is empty."""

    instructions: dict[str, Cost] = field(default_factory=dict)
    """Thousands per step, by the subject's key."""
    times: dict[str, Cost] = field(default_factory=dict)
    """Microseconds of processor time, the least of all rounds."""
    services: dict[str, Service] = field(default_factory=dict)
    flood: Flood | None = None
    stack: Stack | None = None


def share(costs: Mapping[str, float], subject: Subject, base: Subject | None, reference: Subject) -> float | None:
    """What the subject costs above the base, as a share of what the reference costs above it; None where one was not measured."""
    needed = [known.key for known in (subject, reference, base) if known is not None]
    if any(key not in costs for key in needed):
        return None
    start = costs[base.key] if base is not None else 0.0
    beside = costs[reference.key] - start
    return (costs[subject.key] - start) / beside if beside > 0 else None


@dataclass(frozen=True, slots=True)
class Goal:
    """What must hold in one run, on any machine."""

    row: str
    """Key of the row that it stands in."""
    words: str
    """What is compared with the limit, as it is said behind its number."""
    limit: float
    value: Callable[[Results], float | None]
    """None where it was not measured."""
    at_least: bool = False
    number: str = "{:.2f}"

    def is_met(self, results: Results) -> bool | None:
        """None where it was not measured."""
        value = self.value(results)
        if value is None:
            return None
        return value >= self.limit if self.at_least else value <= self.limit

    def said(self, results: Results) -> str:
        """``0.10 of upstream's (at most 0.25)``; nothing where it was not measured."""
        value = self.value(results)
        if value is None:
            return ""
        bound = "at least" if self.at_least else "at most"
        return f"{self.number.format(value)} {self.words} ({bound} {self.number.format(self.limit)})"


def missed(results: Results) -> list[str]:
    """A sentence for each goal that this run missed, with the row that it stands in."""
    return [f"{goal.row}: {goal.said(results)}" for goal in GOALS if goal.is_met(results) is False]


def not_judged(results: Results) -> list[str]:
    """Rows with a goal that this run says nothing about."""
    return list(dict.fromkeys(goal.row for goal in GOALS if goal.is_met(results) is None))


# --- the goals --------------------------------------------------------------------------------------------------------


def _share(subject: Subject, base: Subject | None, reference: Subject) -> Callable[[Results], float | None]:
    return lambda results: share({key: cost.step for key, cost in results.instructions.items()}, subject, base, reference)


def _left_when_off(results: Results) -> float | None:
    costs = results.instructions
    if s.OFF.key not in costs or s.BARE.key not in costs:
        return None
    return abs(costs[s.OFF.key].step / costs[s.BARE.key].step - 1)


def _times_as_fast(results: Results) -> float | None:
    found = _share(s.KIT_ENCODER, None, s.SDK_ENCODER)(results)
    return 1 / found if found else None


def _served(compare: Callable[[Service, Service], float]) -> Callable[[Results], float | None]:
    def value(results: Results) -> float | None:
        mine, bare = results.services.get(s.TRACED.key), results.services.get(s.BARE.key)
        return compare(mine, bare) if mine is not None and bare is not None else None

    return value


def _flooded(what: Callable[[Flood], float]) -> Callable[[Results], float | None]:
    return lambda results: what(results.flood) if results.flood is not None else None


def _took_in(what: Callable[[Ingest], float]) -> Callable[[Results], float | None]:
    return lambda results: what(results.stack.ingest) if results.stack is not None and results.stack.ingest is not None else None


def _of_the_stack(what: Callable[[Stack], float | None]) -> Callable[[Results], float | None]:
    return lambda results: what(results.stack) if results.stack is not None else None


def _answered(question: str, limit_ms: float) -> Goal:
    return Goal(f"stack: {question}", "ms", limit_ms, _of_the_stack(lambda stack: stack.answers_ms.get(question)), number="{:.0f}")


GUNICORN = "gunicorn"
FLOOD = "flood"
STACK = "stack"
INGEST, PROCESS = "stack: ingest", "stack: process"
GOALS = (
    Goal(s.OFF.key, "away from Django's own", 0.01, _left_when_off, number="{:.1%}"),
    Goal(s.TRACED.key, "of upstream's", 1 / 4, _share(s.TRACED, s.BARE, s.UPSTREAM)),
    Goal(s.SAMPLED.key, "of upstream's", 1 / 5, _share(s.SAMPLED, s.BARE, s.UPSTREAM_SAMPLED)),
    Goal(s.LOGGED.key, "of theirs", 1 / 5, _share(s.LOGGED, s.BARE, s.UPSTREAM_LOGGED)),
    *(Goal(kit.key, "of upstream's", 1 / 2, _share(kit, bare, upstream)) for bare, kit, upstream in (s.CALLS, s.CACHE_GETS, s.TASKS)),
    Goal(s.KIT_ENCODER.key, "times cheaper than the SDK's", 5, _times_as_fast, at_least=True, number="{:.1f}"),
    Goal(GUNICORN, "of Django's requests/s", 0.75, _served(Service.kept), at_least=True, number="{:.0%}"),
    Goal(GUNICORN, "times Django's p99", 1.5, _served(Service.slower)),
    Goal(FLOOD, "spans a second", 19_000, _flooded(lambda flood: flood.rate), at_least=True, number="{:,.0f}"),
    Goal(FLOOD, "spans dropped", 0, _flooded(lambda flood: flood.dropped), number="{:.0f}"),
    Goal(FLOOD, "spans unaccounted for", 0, _flooded(lambda flood: flood.unaccounted), number="{:.0f}"),
    Goal(FLOOD, "MB of memory more", 100, _flooded(lambda flood: flood.grown_mb), number="{:.0f}"),
    Goal(INGEST, "spans a second", 10_000, _took_in(lambda taken: taken.spans_per_second), at_least=True, number="{:,.0f}"),
    Goal(INGEST, "samples a second", 20_000, _took_in(lambda taken: taken.samples_per_second), at_least=True, number="{:,.0f}"),
    Goal(INGEST, "records lost", 0, _took_in(lambda taken: taken.lost), number="{:.0f}"),
    _answered(NEWEST, 50),
    _answered(WATERFALL, 50),
    _answered(RATE, 300),
    _answered(RATES, 3_000),
    _answered(SEARCH, 500),
    Goal(PROCESS, "MiB of memory", 250, _of_the_stack(lambda stack: stack.peak_mib), number="{:.0f}"),
    Goal(PROCESS, "s to start", 1, _of_the_stack(lambda stack: stack.start_s)),
)
"""Ratios of instructions, but for those of gunicorn, the flood and the stack, which need a machine that has nothing else to do."""
