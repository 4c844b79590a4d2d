"""Quantiles of plain numbers."""

from __future__ import annotations

import numpy as np

from otelkit_stack.promql.arrays import Booleans, Floats


def quantile_of_rows(values: Floats, is_member: Booleans, ratios: Floats) -> Floats:
    """For each row the value below which ``ratio`` of its members lie, between two members weighted by nearness.

    NaN sorts before every number. A ratio below 0 gives -Inf, one above 1 +Inf, NaN and a row without members NaN.
    """
    counts = is_member.sum(axis=1)
    nans = (np.isnan(values) & is_member).sum(axis=1)
    # numpy sorts NaN to the end, so what is no member hides there too.
    ordered = np.sort(np.where(is_member, values, np.nan), axis=1)
    valid = np.clip(ratios, 0.0, 1.0)
    rank = np.where(np.isnan(valid), 0.0, valid) * (counts - 1)
    lower = np.clip(np.floor(rank), 0, None)
    upper = np.minimum(counts - 1, lower + 1)
    weight = rank - np.floor(rank)
    result = _ranked(ordered, lower, nans) * (1 - weight) + _ranked(ordered, upper, nans) * weight
    result = np.where(ratios < 0, -np.inf, np.where(ratios > 1, np.inf, result))
    return np.where(np.isnan(ratios) | (counts == 0), np.nan, result)


def _ranked(ordered: Floats, rank: Floats, nans: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Floats:
    if not ordered.shape[1]:
        return np.full(ordered.shape[0], np.nan)
    column = np.clip(rank.astype(np.int64) - nans, 0, ordered.shape[1] - 1)
    found = ordered[np.arange(ordered.shape[0]), column]
    return np.where(rank < nans, np.nan, found)
