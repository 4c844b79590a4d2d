"""Attributes as OTLP ``KeyValue`` messages, in bytes, and without secrets: whoever set them, here they pass.

Services say the same few things again and again: method, route, status, table. So the bytes of a pair are kept, and most of what a span
carries is looked up; what has to be redacted is not kept.

Source: opentelemetry/proto/common/v1/common.proto.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from otelkit.export.values import encode_text, encode_value, utf8
from otelkit.export.wire import DELIMITED, FIXED64, VARINT, double, sized, tag, varint
from otelkit.redaction import REDACTED, redactor_of
from otelkit.safe_text import name_of

LONGEST_KEPT = 256
"""Bytes of a pair. Longer texts (statements, stacks, addresses) rarely come twice."""
MOST_KEPT_OF_KEY = 512
"""Values of one key. An order number has more than that: it only ever pushes out its own kind."""
MOST_KEPT = 8_192
"""Pairs in all, of about 0.4 KB each. Beyond, all are forgotten: those in use are back within a few spans."""

_KEY, _VALUE = tag(1, DELIMITED), tag(2, DELIMITED)
_STRING, _INT, _DOUBLE = tag(1, DELIMITED), tag(3, VARINT), tag(4, FIXED64)
# What stands before a value: its field in the pair, its length, its field in AnyValue, and for a text its length again.
_BEFORE_TEXT = tuple(_VALUE + bytes([size + 2]) + _STRING + bytes([size]) for size in range(126))
_BEFORE_INTEGER = tuple(_VALUE + bytes([size + 1]) + _INT for size in range(11))
_BEFORE_FLOAT = _VALUE + bytes([9]) + _DOUBLE
_INT64 = 2**63
_RESERVED = 32
"""Pairs that a key gets room for at a time, so that counting is not a cost of each."""


def encode_attributes(attributes: Mapping[str, Any], field: bytes) -> bytes:
    """The attributes as a repeated field, ``field`` being its tag. Never raises for a value, whatever it is."""
    if not attributes:
        return b""
    kept = _kept.pairs
    try:
        return field + field.join([kept[type(value)][key][value] for key, value in attributes.items()])
    except KeyError:  # a key, or a type, that is met for the first time
        return field + field.join([_kept.pair(key, value) for key, value in attributes.items()])


class _Kept:
    """The pairs seen lately, as ``pairs[type][key][value]``. By type, because True, 1 and 1.0 are one key of a dictionary.

    The first two are plain dictionaries, which the interpreter reads fastest; the last one makes what it does not have.
    """

    def __init__(self) -> None:
        self._makers: dict[type, Callable[[_Kept, str, bytes], Any]] = {str: _Texts, int: _Integers, bool: _Values, float: _Floats}
        self.pairs: dict[type, Any] = {
            **{kind: {} for kind in self._makers},
            # May be unhashable, or equal and different: encoded each time.
            **dict.fromkeys((type(None), tuple, list, dict), _OTHERS),
        }
        self._reserved = 0

    def pair(self, key: str, value: Any) -> bytes:
        """The bytes of one pair, and room for its like where there was none."""
        kind = type(value)
        make = self._makers.get(kind)
        name = name_of(key)
        encoded = _KEY + sized(utf8(name))
        if make is None or len(encoded) > LONGEST_KEPT // 2:
            return sized(encoded + _VALUE + sized(_value_of(name, value)))
        if key not in self.pairs[kind]:
            self.reserve()
            self.pairs[kind][key] = _Secret(encoded) if redactor_of(name) is None else make(self, name, encoded)
        pair: bytes = self.pairs[kind][key][value]
        return pair

    def reserve(self) -> None:
        """Room for some more pairs; where there is none, all are forgotten."""
        if self._reserved + _RESERVED > MOST_KEPT:
            for kind in self._makers:
                self.pairs[kind].clear()
            self._reserved = 0
        self._reserved += _RESERVED


class _Values(dict[Any, bytes]):
    """Value -> pair, of one key."""

    __slots__ = ("_kept", "_key", "_room")

    def __init__(self, kept: _Kept, name: str, key: bytes) -> None:  # noqa: ARG002  (one signature for all makers)
        self._kept = kept
        self._key = key
        self._room = _RESERVED  # which the caller has reserved

    def __missing__(self, value: Any) -> bytes:
        return self._keep(value, self._key + _VALUE + sized(encode_value(value)))

    def _keep(self, value: Any, pair: bytes) -> bytes:
        pair = sized(pair)
        if len(pair) <= LONGEST_KEPT:
            if len(self) >= self._room:
                self._grow()
            self[value] = pair
        return pair

    def _grow(self) -> None:
        if self._room < MOST_KEPT_OF_KEY:
            self._room += _RESERVED
            self._kept.reserve()
        else:
            self.clear()


# Where most of what is new arrives, without detours.


class _Texts(_Values):
    __slots__ = ("_redact",)

    def __init__(self, kept: _Kept, name: str, key: bytes) -> None:
        super().__init__(kept, name, key)
        self._redact = redactor_of(name) or str

    def __missing__(self, value: str) -> bytes:
        clean = self._redact(value)
        size = len(clean)
        if size >= len(_BEFORE_TEXT) or not clean.isascii():
            pair = self._key + _VALUE + sized(encode_text(clean))
        else:
            pair = self._key + _BEFORE_TEXT[size] + clean.encode()
        return self._keep(value, pair) if clean == value else sized(pair)


class _Integers(_Values):
    __slots__ = ()

    def __missing__(self, value: int) -> bytes:
        if not -_INT64 <= value < _INT64:
            return super().__missing__(value)
        number = varint(value)
        return self._keep(value, self._key + _BEFORE_INTEGER[len(number)] + number)


class _Floats:
    """Not kept: they seldom repeat, and 0.0 equals -0.0."""

    __slots__ = ("_before",)

    def __init__(self, kept: _Kept, name: str, key: bytes) -> None:  # noqa: ARG002  (one signature for all makers)
        self._before = varint(len(key) + len(_BEFORE_FLOAT) + 8) + key + _BEFORE_FLOAT

    def __getitem__(self, value: float) -> bytes:
        return self._before + double(value)


class _Secret:
    """Of a key under which nothing is shown: one pair, whatever the value."""

    __slots__ = ("_pair",)

    def __init__(self, key: bytes) -> None:
        self._pair = sized(key + _VALUE + sized(encode_text(REDACTED)))

    def __getitem__(self, value: object) -> bytes:
        return self._pair


class _Others:
    __slots__ = ()

    def __getitem__(self, key: str) -> _OtherPair:
        return _OtherPair(key)


class _OtherPair:
    __slots__ = ("_key",)

    def __init__(self, key: str) -> None:
        self._key = key

    def __getitem__(self, value: Any) -> bytes:
        name = name_of(self._key)
        return sized(_KEY + sized(utf8(name)) + _VALUE + sized(_value_of(name, value)))


def _value_of(name: str, value: Any) -> bytes:
    return encode_text(REDACTED) if value is not None and redactor_of(name) is None else encode_value(value)


_OTHERS = _Others()
_kept = _Kept()
