"""Numbers and strings as Go writes them: what Prometheus puts into label values, answers and messages."""

from __future__ import annotations

import math
from decimal import Decimal

_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\"}


def plain(value: float) -> str:
    """The shortest digits that mean the number, never with an exponent: ``strconv.FormatFloat(value, 'f', -1, 64)``."""
    special = _special(value)
    if special:
        return special
    text = repr(value)
    if text.endswith(".0"):
        return text[:-2]
    return text if "e" not in text else f"{Decimal(text):f}"


def answered(value: float) -> str:
    """A sample's value in an answer of the HTTP API: like :func:`plain`, with an exponent where there are many zeros."""
    if not value or 1e-6 <= abs(value) < 1e21 or not math.isfinite(value):
        return plain(value)
    return scientific(value)


def general(value: float) -> str:
    """``%g`` and ``%v``: as short as it goes, with an exponent from 1e+06 on and below 1e-04."""
    special = _special(value)
    if special:
        return special
    return scientific(value) if value and not 1e-4 <= abs(value) < 1e6 else plain(value)


def quoted(text: str, mark: str = '"') -> str:
    """``%q``: in double quotes (or in ``mark``), with escapes for what cannot be printed.

    A byte that is no UTF-8 is a lone surrogate in our strings, and ``\\xff`` in Go's.
    """
    return mark + "".join(_quoted_character(character, mark) for character in text) + mark


def _special(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "" if math.isfinite(value) else "+Inf" if value > 0 else "-Inf"


def scientific(value: float) -> str:
    """The shortest digits that mean the number, always with an exponent: ``strconv.FormatFloat(value, 'e', -1, 64)``."""
    special = _special(value)
    if special:
        return special
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    first, *others = map(str, digits)
    return f"{'-' if sign else ''}{first}{'.' if others else ''}{''.join(others)}e{exponent + len(others):+03d}"


def _quoted_character(character: str, mark: str) -> str:
    if character == mark:
        return "\\" + mark
    code = ord(character)
    if character in _ESCAPES:
        return _ESCAPES[character]
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if character.isprintable():
        return character
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
