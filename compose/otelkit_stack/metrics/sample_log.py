"""The samples of one transaction as bytes: written at once, read again only after a crash or by another process."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from otelkit_stack.metrics.chunk import Times, Values
from otelkit_stack.rows import SampleRow

SeriesIds = npt.NDArray[np.int64]


def pack(samples: Sequence[SampleRow]) -> bytes:
    """The samples, in their order."""
    columns = (
        np.fromiter((sample.series_id for sample in samples), np.int64, len(samples)),
        np.fromiter((sample.time_ms for sample in samples), np.int64, len(samples)),
        np.fromiter((sample.value for sample in samples), np.float64, len(samples)),
    )
    return zlib.compress(b"".join(column.tobytes() for column in columns), 1)


def unpack(data: bytes) -> tuple[SeriesIds, Times, Values]:
    """Series id, time and value of each sample."""
    columns = np.frombuffer(zlib.decompress(data), dtype=np.int64).reshape(3, -1)
    return columns[0], columns[1], columns[2].view(np.float64)
