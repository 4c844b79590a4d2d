"""Answers of OTLP/HTTP, in the encoding of the request."""

from __future__ import annotations

import json
from http import HTTPStatus

from google.protobuf import json_format
from google.protobuf.message import Message
from starlette.responses import Response

from otelkit_stack.receiver.body import Encoding
from otelkit_stack.receiver.refusals import Refusals
from otelkit_stack.varint import varint

RETRY_AFTER_S = 1

# google.rpc.Code for each HTTP status that is answered.
_CODES = {
    HTTPStatus.BAD_REQUEST: 3,  # INVALID_ARGUMENT
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: 3,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: 3,
    HTTPStatus.TOO_MANY_REQUESTS: 8,  # RESOURCE_EXHAUSTED
    HTTPStatus.SERVICE_UNAVAILABLE: 14,  # UNAVAILABLE
}


def taken(answer: Message, encoding: Encoding, refusals: Refusals, counter: str) -> Response:
    """200 with an ``Export...ServiceResponse``; ``counter`` is the field of its partial success that counts what was refused."""
    if refusals.reasons:
        partial = getattr(answer, "partial_success")  # noqa: B009 - the three answers share the field, but no type
        setattr(partial, counter, refusals.records)
        partial.error_message = refusals.message
    if encoding is Encoding.JSON:
        return Response(json_format.MessageToJson(answer, indent=None), media_type=encoding.value)
    return Response(answer.SerializeToString(), media_type=encoding.value)


def refused(status: HTTPStatus, reason: str, encoding: Encoding) -> Response:
    """An error with a ``google.rpc.Status``; 429 and 503 say when to try again."""
    code = _CODES[status]
    body = json.dumps({"code": code, "message": reason}).encode() if encoding is Encoding.JSON else _status_bytes(code, reason)
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE) else {}
    return Response(body, status, headers, media_type=encoding.value)


def _status_bytes(code: int, message: str) -> bytes:
    # Written out by hand: two fields are not worth the package that holds google.rpc.Status.
    text = message.encode("utf-8", "replace")
    return b"\x08" + varint(code) + b"\x12" + varint(len(text)) + text
