"""How long PromQL takes over many series, in one run:  python -m tests.benchmarks.promql [--quick]

One hour at a step of 15 s, over counters that were sampled every 15 s, each series at its own times. The least of some rounds counts;
the store is in memory, so what is measured is the evaluation.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np

from otelkit_stack.promql.engine import Engine
from otelkit_stack.promql.labels import Labels
from otelkit_stack.promql.storage import MemoryStorage

HOUR_MS = 3_600_000
INTERVAL_MS = 15_000
SIZES = (1_000, 10_000)
QUERIES = (
    "sum by (service_name) (rate(requests_total[1m]))",
    "sum by (service_name, http_route) (rate(requests_total[1m]))",
    "sum(rate(requests_total[5m]))",
    "requests_total",
    "max by (service_name) (max_over_time(requests_total[5m]))",
    "avg by (service_name) (avg_over_time(requests_total[5m]))",
    "quantile by (service_name) (0.9, requests_total)",
    "topk(5, rate(requests_total[5m]))",
    "histogram_quantile(0.95, sum by (service_name, le) (rate(requests_bucket[1m])))",
    "sum by (service_name) (rate(requests_total[1m])) / on (service_name) sum by (service_name) (rate(requests_bucket[1m]))",
)
_BOUNDS = ("0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "+Inf")


def storage_of(series: int) -> MemoryStorage:
    """So many counters, and as many buckets of histograms."""
    chance = np.random.default_rng(1)
    storage = MemoryStorage()
    samples = (HOUR_MS + 600_000) // INTERVAL_MS
    for number in range(series):
        times = np.arange(samples, dtype=np.int64) * INTERVAL_MS + int(chance.integers(INTERVAL_MS))
        values = np.cumsum(chance.integers(0, 9, samples)).astype(np.float64)
        labels = {"service_name": f"service-{number % 10}", "http_route": f"/route/{number // 10 % 20}", "instance": f"{number // 200}"}
        storage.add(Labels.of({**labels, "__name__": "requests_total"}), zip(times.tolist(), values.tolist(), strict=True))
        position = number % len(_BOUNDS)
        bucket = {**labels, "__name__": "requests_bucket", "instance": str(number // len(_BOUNDS)), "le": _BOUNDS[position]}
        storage.add(Labels.of(bucket), zip(times.tolist(), (values * (position + 1)).tolist(), strict=True))
    return storage


def milliseconds(engine: Engine, query: str, rounds: int) -> float:
    """The least time of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        engine.range(query, 600_000, 600_000 + HOUR_MS, INTERVAL_MS)
        best = min(best, time.perf_counter() - start)
    return best * 1000


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table: a row for each query, a column for each number of series."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few series, one round: whether it runs, not how fast")
    quick = parser.parse_args(arguments).quick
    sizes, rounds = ((20,), 1) if quick else (SIZES, 3)
    engines = [Engine(storage_of(size)) for size in sizes]
    print("| query | " + " | ".join(f"{size} series, ms" for size in sizes) + " |")
    print("|---|" + "---:|" * len(sizes))
    for query in QUERIES:
        print(f"| `{query}` | " + " | ".join(f"{milliseconds(engine, query, rounds):.0f}" for engine in engines) + " |", flush=True)


if __name__ == "__main__":
    main()
