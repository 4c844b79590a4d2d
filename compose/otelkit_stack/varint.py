"""Protobuf's encoding of a number, for answers of so few fields that they are written by hand."""

from __future__ import annotations


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first. Source: protobuf's encoding, "Base 128 Varints"."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
