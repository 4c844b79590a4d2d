"""Grafana's variables in query texts: which there are, and filling them in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

WINDOWS: Final[Mapping[str, str]] = MappingProxyType(
    {"__rate_interval": "1m", "__range": "1h", "__interval": "15s", "__auto": "15s"},
)
"""Grafana's own windows and what they stand for unless a caller says otherwise: four exports of 15 seconds, the last hour."""

_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def variables_in(text: str) -> frozenset[str]:
    """Names of the variables that the text uses, Grafana's own included."""
    return frozenset(found[1] or found[2] for found in _VARIABLE.finditer(text))


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with each variable replaced by its value. Raises ValueError for a variable without one."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name not in values:
            raise ValueError(f'Give a value for the variable "{name}"; {text} needs it.')
        return values[name]

    return _VARIABLE.sub(value, text)
