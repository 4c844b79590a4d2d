"""A run of samples of one series as bytes: two to three a sample for what services send.

Times step evenly, so the differences of their differences are mostly zero; a value mostly shares its upper bytes with the one before,
so the two exclusive-ored have zeros there (the idea of Facebook's Gorilla, 2015, which Prometheus' own chunks follow). Here the bytes
are then laid out column by column and deflated, which numpy and zlib do for a whole run at once; a bit stream is read bit by bit.
"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.int64]
"""Unix milliseconds, rising."""
Values = npt.NDArray[np.float64]

MOST_SAMPLES = 120
"""Of one chunk: half an hour at an export every 15 s. Prometheus cuts its chunks at the same number."""

_WIDTH = 8
_LEVEL = 1  # the columns of zeros are gone at any level


def encode(times: Times, values: Values) -> bytes:
    """The samples as bytes. Every bit of a value is kept: the staleness mark is one certain NaN."""
    steps = np.diff(times, prepend=np.int64(0))
    second = np.diff(steps, prepend=np.int64(0))
    bits = values.view(np.uint64)
    changed = bits.copy()
    changed[1:] ^= bits[:-1]
    return zlib.compress(_columns(second.view(np.uint64)) + _columns(changed), _LEVEL)


def decode(data: bytes) -> tuple[Times, Values]:
    """What :func:`encode` put away. Raises ValueError for bytes that are no chunk."""
    try:
        raw = np.frombuffer(zlib.decompress(data), dtype=np.uint8)
        second, changed = raw.reshape(2, _WIDTH, -1).transpose(0, 2, 1).copy().view(np.uint64).reshape(2, -1)
    except (zlib.error, ValueError) as error:
        raise ValueError(f"these {len(data)} bytes are no chunk of samples") from error
    times = second.view(np.int64).cumsum().cumsum()
    return times, np.bitwise_xor.accumulate(changed).view(np.float64)


def _columns(numbers: npt.NDArray[np.uint64]) -> bytes:
    """First all lowest bytes, then all second lowest, and so on."""
    return numbers.astype("<u8", copy=False).view(np.uint8).reshape(-1, _WIDTH).T.tobytes()
