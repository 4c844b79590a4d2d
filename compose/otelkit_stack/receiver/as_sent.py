"""OTLP's requests with their attributes left as the bytes they came as.

A service sends the same few hundred attributes over and over, ten with each span. As bytes they are looked up, all of a span's in one
step; as messages each would be made, asked for its name, its value and what the value holds, and thrown away: most of a span's cost.
On the wire a message and bytes are the same, so the protocol's own description is changed in that one place, and read by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from google.protobuf import message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import Default, DescriptorPool
from google.protobuf.message import Message

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import KeyValue

M = TypeVar("M", bound=Message)

Sent = tuple[bytes, ...]
"""Attributes as they were sent: equal bytes are equal attributes."""

_CLASSES: dict[str, type[Message]] = {}
_ATTRIBUTES = frozenset(("attributes", "filtered_attributes"))


def sent(attributes: Iterable[KeyValue]) -> Sent:
    """The attributes of a message of :func:`as_sent`, which has them as bytes whatever its type says."""
    return cast("Sent", tuple(attributes))


def as_sent(request: type[M]) -> type[M]:
    """A class for the same request, in which every field of attributes holds bytes, each an encoded ``KeyValue``."""
    descriptor = request.DESCRIPTOR
    made = _CLASSES.get(descriptor.full_name)
    if made is None:
        pool = DescriptorPool()
        _describe(descriptor.file, pool, set())
        made = _CLASSES[descriptor.full_name] = message_factory.GetMessageClass(pool.FindMessageTypeByName(descriptor.full_name))
    return cast("type[M]", made)


def converted(request: M) -> M:
    """The request as one of :func:`as_sent`, which it may be already."""
    if type(request).DESCRIPTOR.file.pool is not Default():
        return request
    return as_sent(type(request)).FromString(request.SerializeToString())


def _describe(file: Any, pool: DescriptorPool, described: set[str]) -> None:
    """Put the description of a file, and first those of all it builds on, into the pool."""
    if file.name in described:
        return
    described.add(file.name)
    for needed in file.dependencies:
        _describe(needed, pool, described)
    description = FileDescriptorProto()
    file.CopyToProto(description)
    messages = [*description.message_type]
    for message in messages:  # grows while it is read
        messages.extend(message.nested_type)
        for field in message.field:
            if field.name in _ATTRIBUTES:
                field.type = FieldDescriptorProto.TYPE_BYTES
                field.ClearField("type_name")
    pool.Add(description)
