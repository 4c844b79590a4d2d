"""The samples of one transaction as bytes: written at once, read again only after a crash or by another process."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from otelkit_stack.metrics.chunk import Times, Values
from otelkit_stack.rows import SampleRows

SeriesIds = npt.NDArray[np.int64]


def pack(samples: Sequence[SampleRows]) -> bytes:
    """The samples, in their order: first the ids of their series, then their times, then their values."""
    columns = zip(*(rows.columns() for rows in samples), strict=True)
    return zlib.compress(b"".join([part.tobytes() for column in columns for part in column]), 1)


def unpack(data: bytes) -> tuple[SeriesIds, Times, Values]:
    """Series id, time and value of each sample."""
    columns = np.frombuffer(zlib.decompress(data), dtype=np.int64).reshape(3, -1)
    return columns[0], columns[1], columns[2].view(np.float64)
