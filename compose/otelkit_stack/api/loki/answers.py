"""Answers in Loki's clothes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from starlette.responses import JSONResponse

SECOND_NS = 1_000_000_000


class LokiResponse(JSONResponse):
    """JSON under the media type that Loki writes."""

    media_type = "application/json; charset=UTF-8"


def success(kind: str, result: Iterable[Any], **more: object) -> LokiResponse:
    """An answer to a query; ``kind`` is its ``resultType``."""
    return LokiResponse({"status": "success", "data": {"resultType": kind, **more, "result": result, "stats": {}}})


def listed(found: list[Any]) -> LokiResponse:
    """An answer that is a list; an empty one is left out, as Loki does."""
    return LokiResponse({"status": "success", **({"data": found} if found else {})})


def seconds(time_ns: int) -> float | int:
    """A moment in Unix seconds, whole where it can be."""
    return time_ns // SECOND_NS if time_ns % SECOND_NS == 0 else time_ns / 1e9


def number(value: float) -> str:
    """A value as text."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(float(value))
    return text.removesuffix(".0") if "e" not in text else f"{value:.17g}".removesuffix(".0")
