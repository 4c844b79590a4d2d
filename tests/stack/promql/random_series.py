"""Series that a seed makes up, with all that makes queries hard: resets, gaps, late starts, churn, NaN, odd buckets."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path

from otelkit_stack.go_text import plain, quoted
from otelkit_stack.promql.labels import Labels
from otelkit_stack.promql.storage import MemoryStorage

START = 1_700_000_000_000
"""First moment of all series, in milliseconds."""
LENGTH = 3_600_000
END = START + LENGTH

Samples = list[tuple[int, float]]

SERVICES = ("cart", "orders", "stock")
BOUNDS = ("0.1", "0.25", "0.5", "1", "2.5", "+Inf")


def made_up(seed: int) -> dict[Labels, Samples]:
    """Series by labels, in the order of the labels."""
    chance = random.Random(seed)
    series = {Labels.of(labels): samples for labels, samples in _all(chance) if samples}
    return dict(sorted(series.items()))


def in_memory(series: dict[Labels, Samples]) -> MemoryStorage:
    """The series as our engine reads them."""
    storage = MemoryStorage()
    for labels, samples in series.items():
        storage.add(labels, samples)
    return storage


def write_open_metrics(series: dict[Labels, Samples], path: Path) -> None:
    """The series as ``promtool tsdb create-blocks-from openmetrics`` reads them."""
    with path.open("w") as file:
        for labels, samples in series.items():
            pairs = ",".join(f"{quoted(name)}={quoted(value)}" for name, value in labels if name != "__name__")
            for time, value in samples:
                file.write(f"{labels.get('__name__')}{{{pairs}}} {plain(value)} {time / 1000:.3f}\n")
        file.write("# EOF\n")


def _all(chance: random.Random) -> Iterator[tuple[dict[str, str], Samples]]:
    for service in SERVICES:
        for instance in ("a", "b", "c"):
            for code in ("200", "404", "500"):
                labels = {"__name__": "requests_total", "service": service, "instance": instance, "code": code}
                yield labels, _counter(chance, _times(chance), reset=chance.choice((0.0, 0.01, 0.05)))
            labels = {"service": service, "instance": instance}
            yield {"__name__": "temperature", **labels}, _gauge(chance, _times(chance))
            yield {"__name__": "queue_length", **labels}, [(time, float(chance.randint(0, 3))) for time in _times(chance)]
            yield {"__name__": "limit", **labels}, [(time, float(chance.randint(1, 40))) for time in _times(chance)]
        yield from _histogram(chance, service)
        yield {"__name__": "owner", "service": service, "team": f"team-{service}"}, [(time, 1.0) for time in _times(chance)]
    yield from _churn(chance)
    odd = (math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-300, 1e300, 1.0)
    yield {"__name__": "odd", "kind": "mixed"}, [(time, chance.choice(odd)) for time in _times(chance)]
    yield {"__name__": "odd", "kind": "nan"}, [(time, math.nan) for time in _times(chance)]
    yield {"__name__": "huge", "n": "1"}, [(time, 1.5e308) for time in _times(chance)]
    yield {"__name__": "huge", "n": "2"}, [(time, 1.7e308) for time in _times(chance)]
    yield {"__name__": "steady", "größe": "käfer"}, [(time, 42.5) for time in _times(chance)]
    yield {"__name__": "once"}, [(START + LENGTH // 2, 7.0)]
    yield {"__name__": "clock"}, [(time, time / 1000 + chance.uniform(-4e7, 4e7)) for time in _times(chance)]


def _times(chance: random.Random) -> list[int]:
    """About every 15 s: punctual, trembling or with holes; some begin late or end early."""
    tremble, hole = chance.choice((0, 0, 3, 4000)), chance.choice((0.0, 0.0, 0.05, 0.3))
    first = START + chance.choice((0, 0, chance.randint(0, LENGTH // 2)))
    last = END - chance.choice((0, 0, chance.randint(0, LENGTH // 2)))
    phase = chance.randint(0, 14_999)
    times = [START + phase + 15_000 * step + chance.randint(-tremble, tremble) for step in range(LENGTH // 15_000)]
    return sorted({time for time in times if first <= time <= last and chance.random() >= hole})


def _counter(chance: random.Random, times: list[int], *, reset: float) -> Samples:
    value, samples = float(chance.choice((0, 0, 5, 10_000))), []
    for time in times:
        value = float(chance.randint(0, 5)) if chance.random() < reset else value + chance.choice((0, 1, 2, 7, 0.5))
        samples.append((time, value))
    return samples


def _gauge(chance: random.Random, times: list[int]) -> Samples:
    value, samples = chance.uniform(-20, 40), []
    for time in times:
        value += chance.uniform(-1, 1)
        samples.append((time, math.nan if chance.random() < 0.01 else value))
    return samples


def _histogram(chance: random.Random, service: str) -> Iterator[tuple[dict[str, str], Samples]]:
    """Buckets that grow together; now and then one is missing, or falls behind the one below it."""
    times = _times(chance)
    for instance in ("a", "b"):
        counts = dict.fromkeys(BOUNDS, 0.0)
        samples: dict[str, Samples] = {bound: [] for bound in BOUNDS}
        total: Samples = []
        for time in times:
            for _ in range(chance.randint(0, 6)):
                seen = chance.expovariate(2)
                for bound in BOUNDS:
                    counts[bound] += seen <= float(bound)
            for bound in BOUNDS:
                if chance.random() >= 0.01:
                    samples[bound].append((time, counts[bound] - (2 if chance.random() < 0.01 else 0)))
            total.append((time, counts["+Inf"]))
        labels = {"service": service, "instance": instance}
        for bound in BOUNDS:
            yield {"__name__": "latency_seconds_bucket", **labels, "le": bound}, samples[bound]
        yield {"__name__": "latency_seconds_count", **labels}, total
    yield {"__name__": "latency_seconds_bucket", "service": service, "instance": "broken", "le": "wide"}, [(time, 1.0) for time in times]


def _churn(chance: random.Random) -> Iterator[tuple[dict[str, str], Samples]]:
    """Processes that follow one another under one service, so that a match finds another partner later."""
    for service in SERVICES:
        start = START
        for number in range(4):
            length = chance.randint(LENGTH // 6, LENGTH // 3)
            times = range(start, min(start + length, END), 15_000)
            yield {"__name__": "process_up", "service": service, "pod": f"{service}-{number}"}, [(time, 1.0) for time in times]
            start += length + chance.choice((15_000, 400_000))
