"""Values as OTLP ``AnyValue`` messages, in bytes. Whatever the value is, it has a form, a bounded one, and one without secrets.

Source: opentelemetry/proto/common/v1/common.proto.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from otelkit.export.wire import DELIMITED, FIXED64, VARINT, double, sized, tag, varint
from otelkit.redaction import REDACTED, redact_text, redactor_of
from otelkit.safe_text import name_of, safe_text, unserializable

ATTRIBUTE_TEXT_LIMIT = 16_384
"""Characters of one text; a longer one is cut, or one value could fill a batch."""
ATTRIBUTE_SIZE_LIMIT = 65_536
"""Bytes that the members of one list or dictionary, at all depths, may take; further ones are left out."""
DEEPEST = 8
"""Levels of lists and dictionaries inside one another; what lies deeper is left empty."""

_KEY, _VALUE = tag(1, DELIMITED), tag(2, DELIMITED)
_STRING, _BOOL, _INT, _DOUBLE = tag(1, DELIMITED), tag(2, VARINT), tag(3, VARINT), tag(4, FIXED64)
_ARRAY, _KVLIST, _BYTES = tag(5, DELIMITED), tag(6, DELIMITED), tag(7, DELIMITED)
_MEMBER = tag(1, DELIMITED)
"""Field 1 of ArrayValue and of KeyValueList."""
_EMPTY = b""
"""An AnyValue that holds none: null."""

_INT64 = range(-(2**63), 2**63)


def utf8(text: str) -> bytes:
    """The text, cut at the limit. A lone surrogate (half of a pair, from a broken path or header) becomes ``?``: UTF-8 has none."""
    if len(text) > ATTRIBUTE_TEXT_LIMIT:
        text = text[:ATTRIBUTE_TEXT_LIMIT] + "…"
    return text.encode("utf-8", "replace")


def encode_text(text: str) -> bytes:
    """An AnyValue that holds the text as it is, without its length: for what is known to hold no secret."""
    return _STRING + sized(utf8(text))


def encode_value(value: Any) -> bytes:
    """An AnyValue, without its length; secrets that its texts and keys show are redacted. Never raises."""
    try:
        return _any(value, DEEPEST, [ATTRIBUTE_SIZE_LIMIT])
    except Exception as error:  # noqa: BLE001 - a value's own methods may raise anything, and its span is worth more than it
        return encode_text(unserializable(value, error))


def _any(value: Any, depth: int, room: list[int]) -> bytes:
    encoded = _scalar(value)
    if encoded is not None:
        room[0] -= len(encoded)
        return encoded
    if value is None or depth == 0:
        return _EMPTY
    if isinstance(value, Mapping):
        return _KVLIST + sized(_members((_pair(key, item, depth - 1, room) for key, item in value.items()), room))
    if isinstance(value, Iterable):
        return _ARRAY + sized(_members((_any(item, depth - 1, room) for item in value), room))
    return _string(safe_text(value))


def _scalar(value: Any) -> bytes | None:
    if isinstance(value, str):
        return _string(str.__str__(value))  # of a subclass, the text itself: its methods may be anything
    if isinstance(value, bool):
        return _BOOL + (b"\x01" if value else b"\x00")
    if isinstance(value, int):
        number = int.__index__(value)  # of a subclass, like an IntEnum, a range would compare each of its members
        return _INT + varint(number) if number in _INT64 else _string(_large(number))
    if isinstance(value, float):
        return _DOUBLE + double(float.__float__(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _BYTES + sized(_clean_bytes(bytes(value[:ATTRIBUTE_TEXT_LIMIT])))
    return None


def _string(text: str) -> bytes:
    return encode_text(redact_text(text))


def _clean_bytes(value: bytes) -> bytes:
    text = value.decode("latin-1")  # a byte a character, and back
    clean = redact_text(text)
    return value if clean == text else clean.encode("latin-1")


def _pair(key: object, value: Any, depth: int, room: list[int]) -> bytes:
    text = name_of(key)
    name = _KEY + sized(utf8(text))
    room[0] -= len(name)
    return name + _VALUE + sized(encode_text(REDACTED) if value is not None and redactor_of(text) is None else _any(value, depth, room))


def _members(encoded: Iterator[bytes], room: list[int]) -> bytes:
    """As many members as there is room for. That also ends what has no end: a generator, a list that holds itself."""
    taken = []
    while room[0] > 0 and (member := next(encoded, None)) is not None:
        room[0] -= 2
        taken.append(_MEMBER + sized(member))
    return b"".join(taken)


def _large(value: int) -> str:
    # Decimal digits of a huge number take quadratic time, and Python refuses more than 4,300 of them.
    return str(value) if value.bit_length() <= 1_024 else f"<integer of {value.bit_length()} bits>"
