"""String literals as Go writes them; PromQL has single quotes as a third kind."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.)|$)", re.DOTALL)
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_DIGITS = {"x": 2, "u": 4, "U": 8}


def unquoted(literal: str) -> str:
    """What a literal, quotes included, stands for. Bytes that are no UTF-8 become lone surrogates (PEP 383)."""
    mark, content = literal[0], literal[1:-1]
    if mark == "`":
        return content
    parts: list[bytes] = []
    at = 0
    for escape in _ESCAPE.finditer(content):
        parts.append(_bytes(content[at : escape.start()]))
        hexadecimal, short, long, octal, letter = escape.groups()
        if hexadecimal or octal:
            parts.append(bytes([int(hexadecimal, 16) if hexadecimal else int(octal, 8) & 0xFF]))
        elif short or long:
            parts.append(_bytes(chr(int(short or long, 16))))
        else:
            parts.append(_bytes(_SIMPLE.get(letter, letter)))
        at = escape.end()
    parts.append(_bytes(content[at:]))
    return b"".join(parts).decode(errors="surrogateescape")


def escape_complaint(literal: str, mark: str) -> str:
    """What is wrong with the first wrong escape of a literal that may lack its end; ``""`` where all are right."""
    for escape in _ESCAPE.finditer(literal, 1):
        hexadecimal, short, long, octal, letter = escape.groups()
        code = short or long
        if code and (int(code, 16) > 0x10FFFF or 0xD800 <= int(code, 16) < 0xE000):
            return "escape sequence is an invalid Unicode code point"
        if octal and int(octal, 8) > 255:
            return "escape sequence is an invalid Unicode code point"
        if hexadecimal or code or octal or letter == mark or (letter and letter in _SIMPLE):
            continue
        if not letter:
            return "escape sequence not terminated"
        if letter in _DIGITS or letter in "01234567":
            return _broken_code(literal, escape.start(), letter)
        return f"unknown escape sequence {_named(letter)}"
    return ""


def _broken_code(literal: str, start: int, letter: str) -> str:
    at = start + 2 if letter in _DIGITS else start + 1
    allowed = "0123456789abcdefABCDEF" if letter in _DIGITS else "01234567"
    while at < len(literal) and literal[at] in allowed:
        at += 1
    return f"illegal character {_named(literal[at])} in escape sequence" if at < len(literal) else "escape sequence not terminated"


def _named(character: str) -> str:
    return f"U+{ord(character):04X} '{character}'"


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
