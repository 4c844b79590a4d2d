"""The wire format of protocol buffers: what a field looks like in bytes.

Source: protobuf.dev/programming-guides/encoding. A message is its fields one after another; a field is a tag (number and wire type) and a
value. Messages, texts and bytes are values with their length in front.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

VARINT, FIXED64, DELIMITED, FIXED32 = 0, 1, 2, 5
"""Wire types."""

_UINT64 = 2**64 - 1


def _varint(value: int) -> bytes:
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


_SMALL = tuple(_varint(value) for value in range(1024))  # lengths, status codes and enumerations: nearly all there are


def varint(value: int) -> bytes:
    """A whole number of 64 bits in groups of seven, the lowest first. A negative one is written as its two's complement, in ten bytes."""
    if 0 <= value < 0x200000:  # most there are, and a loop costs several times as much
        if value < 1024:
            return _SMALL[value]
        if value < 0x4000:
            return bytes((value & 0x7F | 0x80, value >> 7))
        return bytes((value & 0x7F | 0x80, value >> 7 & 0x7F | 0x80, value >> 14))
    return _varint(value & _UINT64)


def tag(number: int, wire_type: int) -> bytes:
    """What begins field ``number``."""
    return _varint(number << 3 | wire_type)


def sized(content: bytes) -> bytes:
    """The content with its length in front: the value of a DELIMITED field."""
    size = len(content)
    return (_SMALL[size] if size < 1024 else varint(size)) + content


double = Struct("<d").pack
"""A float as the value of a FIXED64 field."""
fixed32 = Struct("<I").pack
"""A whole number below 2**32 as the value of a FIXED32 field. Raises struct.error for another."""
fixed64 = Struct("<Q").pack
"""A whole number below 2**64 as the value of a FIXED64 field. Raises struct.error for another."""


def read_fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field of a short message, texts and messages as bytes. Raises ValueError or IndexError for a broken one."""
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        wire_type = key & 7
        if wire_type == VARINT:
            value, at = _read_varint(message, at)
            yield key >> 3, value
            continue
        if wire_type == DELIMITED:
            size, at = _read_varint(message, at)
        elif wire_type in (FIXED32, FIXED64):
            size = 4 if wire_type == FIXED32 else 8
        else:
            raise ValueError(f"wire type {wire_type} is none")
        if at + size > len(message):
            raise ValueError("the message ends within a field")
        yield key >> 3, message[at : at + size]
        at += size


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")
