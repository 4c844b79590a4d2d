"""What an answer of Prometheus' API is made of."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from otelkit_stack.metrics.label_index import LabelIndex
from otelkit_stack.metrics.samples import Samples
from otelkit_stack.metrics.storage import SampleStorage
from otelkit_stack.promql.engine import Engine
from otelkit_stack.promql.limits import Options

TRUNCATED = "results truncated due to limit"


@dataclass(frozen=True, slots=True)
class Asked:
    """The samples of the store, through a connection for one request. ``retention_s`` is None where nothing is forgotten."""

    samples: Samples
    connection: sqlite3.Connection
    retention_s: float | None = None

    @property
    def index(self) -> LabelIndex:
        """Which series have which labels."""
        return self.samples.index

    def engine(self, options: Options) -> Engine:
        """Evaluates queries over the samples."""
        return Engine(SampleStorage(self.samples, self.connection), options)


def listed(found: Iterable[Any], limit: int) -> dict[str, Any]:
    """The body of an answer that is a list, cut off at the limit, 0 for none; that something is missing is said."""
    data = list(found)
    if 0 < limit < len(data):
        return {"status": "success", "data": data[:limit], "warnings": [TRUNCATED]}
    return {"status": "success", "data": data}
