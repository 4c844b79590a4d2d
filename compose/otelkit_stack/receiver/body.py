"""The body of an OTLP/HTTP request: read within a limit, unpacked, and parsed as protobuf or JSON."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import AsyncIterable
from enum import Enum
from http import HTTPStatus
from typing import Never, TypeVar

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

from otelkit_stack.receiver.as_sent import as_sent, converted

DEFAULT_LIMIT = 20 * 1024 * 1024
"""Bytes a request may have, packed and unpacked: what the Collector allows."""

_ID_FIELDS = frozenset(("traceId", "spanId", "parentSpanId"))

M = TypeVar("M", bound=Message)


class Encoding(Enum):
    """The two encodings of OTLP/HTTP, by content type."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


class RefusedError(Exception):
    """A request that cannot be taken as a whole: an HTTP status, and the reason in one sentence."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def encoding_of(content_type: str) -> Encoding:
    """The encoding that a Content-Type names, parameters aside. Raises RefusedError (415)."""
    name = content_type.partition(";")[0].strip().lower()
    try:
        return Encoding(name)
    except ValueError:
        raise RefusedError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Content-Type {name[:100]!r} is not OTLP; send {Encoding.PROTOBUF.value} or {Encoding.JSON.value}.",
        ) from None


async def read_body(chunks: AsyncIterable[bytes], limit: int) -> bytes:
    """The body as it was sent. Raises RefusedError (413) above ``limit`` bytes."""
    body = bytearray()
    size = 0
    # Read to the end also when it is too large: a sender that is cut off sees a broken connection instead of the reason.
    async for chunk in chunks:
        size += len(chunk)
        if size <= limit:
            body += chunk
        else:
            body.clear()
    if size > limit:
        _refuse_size(limit, "has")
    return bytes(body)


def unpacked(body: bytes, content_encoding: str, limit: int) -> bytes:
    """The body without its gzip. Raises RefusedError: 413 above ``limit`` bytes, 415 for other encodings, 400 for broken gzip."""
    match content_encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            return _gunzip(body, limit)
        case other:
            raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content-Encoding {other[:100]!r} is not supported; send gzip or none.")


def parse(body: bytes, encoding: Encoding, message: type[M]) -> M:
    """The request message, with its attributes as they were sent (:mod:`otelkit_stack.receiver.as_sent`).

    Raises RefusedError (400) for a body that is none; unknown fields are ignored, as OTLP asks for.
    """
    try:
        if encoding is Encoding.PROTOBUF:
            return as_sent(message).FromString(body)
        fields = json.loads(body, parse_constant=_refuse_constant)
        if not isinstance(fields, dict):
            raise ValueError("it is no object")
        _spell_ids_in_base64(fields)
        return converted(json_format.ParseDict(fields, message(), ignore_unknown_fields=True))
    except (DecodeError, json_format.ParseError, RecursionError, ValueError, TypeError, AttributeError) as error:
        # The last two are what the JSON parser raises for an object where a list belongs, and the like.
        name = "protobuf" if encoding is Encoding.PROTOBUF else "JSON"
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"The body is not an OTLP request in {name}: {str(error)[:300]}") from error


def _gunzip(body: bytes, limit: int) -> bytes:
    unpacked_body = bytearray()
    try:
        while body:  # gzip files may be joined end to end
            member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            # Never more than one byte above the limit, however much the body would unpack to.
            unpacked_body += member.decompress(body, limit - len(unpacked_body) + 1)
            if len(unpacked_body) > limit:
                _refuse_size(limit, "unpacks to")
            if not member.eof:
                raise RefusedError(HTTPStatus.BAD_REQUEST, "The body's gzip ends too early.")
            body = member.unused_data
    except zlib.error as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"The body is not gzip, as Content-Encoding says: {error}") from error
    return bytes(unpacked_body)


def _refuse_size(limit: int, verb: str) -> Never:
    raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body {verb} more than {limit} bytes; send smaller batches.")


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not JSON")


def _spell_ids_in_base64(fields: object) -> None:
    """Rewrite the ids of a request: OTLP's JSON has them in hex, and protobuf's JSON parser reads base64.

    Attribute names are values in OTLP's JSON, never keys, so nothing else is called like an id.
    """
    waiting = [fields]
    while waiting:  # not recursive, because the sender decides about the depth
        item = waiting.pop()
        if isinstance(item, dict):
            for key, value in item.items():
                if key in _ID_FIELDS and isinstance(value, str):
                    item[key] = base64.b64encode(bytes.fromhex(value)).decode("ascii")
                else:
                    waiting.append(value)
        elif isinstance(item, list):
            waiting.extend(item)
