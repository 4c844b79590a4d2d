"""Requests made from OTLP's own description: every field of the protocol, with the values that programs stumble over."""

from __future__ import annotations

import random
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

M = TypeVar("M", bound=Message)

REQUESTS: dict[str, type[Message]] = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}

_TEXTS = ("", "a", "service.name", "__name__", "le", "http.route", "\x00", "ü\u202e", "{}", '"; DROP TABLE span; --', "9lives", "x" * 3000)
_IDS = (b"", b"\x00" * 16, bytes(range(16)), b"\x01" * 8, b"\xff" * 16, b"\x00" * 8, b"\xff" * 3)
_FLOATS = (0.0, -0.0, 1.5, float("inf"), float("-inf"), float("nan"), 1e308, 5e-324, -1.0)
_NOW_NS = 1_795_000_000_000_000_000
_DEEPEST = 9

_INTEGERS = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SINT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SFIXED32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SINT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SFIXED64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED64: (0, 2**64 - 1),
}


def random_request(dice: random.Random, kind: type[M]) -> M:
    """A message of the kind, about half of its fields set, messages in it likewise."""
    message = kind()
    _fill(message, dice, 0)
    return message


def _fill(message: Message, dice: random.Random, depth: int) -> None:
    for field in message.DESCRIPTOR.fields:
        # What leads to the records is mostly there, or there would be none.
        if dice.random() < (0.15 if depth < 3 and field.type == field.TYPE_MESSAGE else 0.5):
            continue
        if field.type == field.TYPE_MESSAGE:
            if depth >= _DEEPEST:
                continue
            targets = (
                [getattr(message, field.name).add() for _ in range(dice.randrange(1, 4))]
                if field.is_repeated
                else [getattr(message, field.name)]
            )
            for target in targets:
                target.SetInParent()
                _fill(target, dice, depth + 1)
        elif field.is_repeated:
            getattr(message, field.name).extend(_value(field, dice) for _ in range(dice.randrange(6)))
        else:
            setattr(message, field.name, _value(field, dice))


def _value(field: FieldDescriptor, dice: random.Random) -> Any:
    match field.type:
        case FieldDescriptor.TYPE_STRING:
            return dice.choice(_TEXTS)
        case FieldDescriptor.TYPE_BYTES:
            return dice.choice(_IDS)
        case FieldDescriptor.TYPE_DOUBLE | FieldDescriptor.TYPE_FLOAT:
            return dice.choice(_FLOATS)
        case FieldDescriptor.TYPE_BOOL:
            return dice.random() < 0.5
        case FieldDescriptor.TYPE_ENUM:
            return dice.choice((*(value.number for value in field.enum_type.values), 77))
    lowest, highest = _INTEGERS[field.type]
    near = [number for number in (0, 1, 7, 2**31, _NOW_NS, _NOW_NS + dice.randrange(10**12)) if lowest <= number <= highest]
    return dice.choice((lowest, highest, *near, *near))
