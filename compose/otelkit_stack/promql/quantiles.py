"""Quantiles of plain numbers."""

from __future__ import annotations

import numpy as np

from otelkit_stack.promql.arrays import Booleans, Floats, Integers


def quantile_of_columns(values: Floats, is_member: Booleans, ratios: Floats) -> Floats:
    """For each column the value below which ``ratio`` of its members lie, between two members weighted by nearness.

    NaN sorts before every number. A ratio below 0 gives -Inf, one above 1 +Inf, NaN and a column without members NaN.
    """
    if not len(values):
        return np.full(values.shape[1], np.nan)
    counts = is_member.sum(axis=0)
    nans = (np.isnan(values) & is_member).sum(axis=0)
    # numpy sorts NaN to the end, so what is no member hides there too.
    ordered = np.sort(np.where(is_member, values, np.nan), axis=0)
    valid = np.clip(ratios, 0.0, 1.0)
    rank = np.where(np.isnan(valid), 0.0, valid) * (counts - 1)
    lower = np.clip(np.floor(rank), 0, None)
    upper = np.minimum(counts - 1, lower + 1)
    weight = rank - np.floor(rank)
    result = _ranked(ordered, lower, nans) * (1 - weight) + _ranked(ordered, upper, nans) * weight
    result = np.where(ratios < 0, -np.inf, np.where(ratios > 1, np.inf, result))
    return np.where(np.isnan(ratios) | (counts == 0), np.nan, result)


def _ranked(ordered: Floats, rank: Floats, nans: Integers) -> Floats:
    row = np.clip(rank.astype(np.int64) - nans, 0, len(ordered) - 1)
    return np.where(rank < nans, np.nan, ordered[row, np.arange(ordered.shape[1])])
