"""Batches of samples as the receiver makes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from otelkit_stack.metrics.label_index import METRIC_NAME
from otelkit_stack.queries import Queries
from otelkit_stack.rows import Batch, SampleRow, SeriesRow, content_id
from otelkit_stack.selectors.matchers import Matcher
from otelkit_stack.store import Store


def batch_of(samples: Mapping[str, Sequence[tuple[int, float]]]) -> Batch:
    """Samples (Unix milliseconds, value) of series without labels, by name."""
    batch = Batch()
    for name, points in samples.items():
        key = content_id("series", name, "{}")
        batch.series[key] = SeriesRow(key, name, "{}")
        batch.samples += [SampleRow(key, time_ms, value) for time_ms, value in points]
    return batch


def selected(store: Store, queries: Queries, name: str, start_ms: int = 0, end_ms: int = 2**62) -> list[tuple[int, float]]:
    """The samples of one series, through the index and the head, as the query engine reads them."""
    found = store.samples.select(queries._connection, [Matcher(METRIC_NAME, "=", name)], start_ms, end_ms)
    return [pair for series in found for pair in zip(series.times.tolist(), series.values.tolist(), strict=True)]


def on_disk(queries: Queries, name: str) -> list[tuple[int, float]]:
    """The same series as another process sees it."""
    return [(time_ns // 1_000_000, value) for series in queries.series(name) for time_ns, value in series.samples]
