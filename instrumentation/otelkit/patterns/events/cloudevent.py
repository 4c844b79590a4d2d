"""An event as it travels: CloudEvents 1.0 in its JSON format, which any other language reads.

``partitionkey`` and ``sequence`` are documented extensions, and so are ``traceparent`` and ``tracestate`` (distributed tracing).
Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.dateparse import parse_datetime

CONTENT_TYPE = "application/cloudevents+json"
SPEC_VERSION = "1.0"

LONGEST_NAME = 200
"""Characters of an id, a source, a type, a subject or an aggregate."""

_DIGITS = 20
"""Digits of ``sequence``: as texts, its values must sort like the numbers that they are."""


class NotAnEventError(ValueError):
    """A message that is no CloudEvent; says what is missing or wrong."""


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """One event. ``source`` and ``id`` together name it: a second one with both the same is the same event, sent again."""

    id: str
    source: str
    type: str
    data: Any = None
    subject: str = ""
    time: datetime | None = None
    aggregate: str = ""
    """What the event belongs to, like ``order-42`` (``partitionkey``): the events of one aggregate keep their order."""
    position: int | None = None
    """1 for the first event of its aggregate at this destination, and so on without a gap (``sequence``)."""
    traceparent: str = ""
    tracestate: str = ""

    def to_json(self) -> str:
        """The event in the JSON format. Raises TypeError for data that JSON cannot hold."""
        found: dict[str, Any] = {"specversion": SPEC_VERSION, "id": self.id, "source": self.source, "type": self.type}
        optional = {"subject": self.subject, "partitionkey": self.aggregate}
        optional |= {"traceparent": self.traceparent, "tracestate": self.tracestate}
        found |= {name: value for name, value in optional.items() if value}
        if self.time is not None:
            found["time"] = self.time.isoformat().replace("+00:00", "Z")
        if self.position is not None:
            found["sequence"] = str(self.position).zfill(_DIGITS)
        if self.data is not None:
            found |= {"datacontenttype": "application/json", "data": self.data}
        return json.dumps(found, cls=DjangoJSONEncoder, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> CloudEvent:
        """The event in a message's body. Raises NotAnEventError. What cannot be read of its optional parts is left out."""
        try:
            found = json.loads(text)
        except ValueError as error:
            raise NotAnEventError(f"the body is no JSON ({error})") from None
        if not isinstance(found, dict):
            raise NotAnEventError(f"the body is a JSON {type(found).__name__}, not an object")
        if missing := [name for name in ("specversion", "id", "source", "type") if not _text(found, name)]:
            raise NotAnEventError(f"it lacks {', '.join(missing)}")
        for name in ("id", "source", "type", "subject", "partitionkey"):
            if not is_storable(_text(found, name)):
                raise NotAnEventError(f"its {name} has more than {LONGEST_NAME} characters, or some that no database takes")
        return cls(
            id=found["id"],
            source=found["source"],
            type=found["type"],
            data=found.get("data"),
            subject=_text(found, "subject"),
            time=_time(_text(found, "time")),
            aggregate=_text(found, "partitionkey"),
            position=_position(_text(found, "sequence")),
            traceparent=_text(found, "traceparent"),
            tracestate=_text(found, "tracestate"),
        )


def is_storable(name: str) -> bool:
    """Whether every database takes the name: not too long, no NUL, no lone surrogates."""
    return len(name) <= LONGEST_NAME and "\0" not in name and not any("\ud800" <= character <= "\udfff" for character in name)


def _text(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""


def _time(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:  # well formed, and no moment, like the 31st of February
        return None
    return found if found is not None and found.tzinfo is not None else None


def _position(text: str) -> int | None:
    number = int(text) if text.isdecimal() and text.isascii() and len(text) <= _DIGITS else 0
    return number if 0 < number < 2**63 else None  # what a column of a database holds
