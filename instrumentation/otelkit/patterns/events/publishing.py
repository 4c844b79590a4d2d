"""publish() and apublish(): the row in the transaction of whoever calls it."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from django.core.serializers.json import DjangoJSONEncoder

from otelkit.errors import OtelkitError
from otelkit.patterns.events import telemetry
from otelkit.patterns.events.cloudevent import LONGEST_NAME, is_storable
from otelkit.patterns.events.configuring import chosen

if TYPE_CHECKING:
    from otelkit.patterns.events.models import OutboxEvent


class NoTransactionError(OtelkitError):
    """An event was to be published outside of a transaction, where it could be stored without its data, or its data without it."""


def publish(
    type: str,
    data: Any = None,
    *,
    destination: str,
    aggregate: str = "",
    subject: str = "",
    id: str = "",
    source: str = "",
    using: str | None = None,
) -> OutboxEvent:
    """Stores an event in the current transaction; the relay sends it after the commit, within about a second.

    ``destination`` is the exchange that consumers subscribe to. Events of one ``aggregate`` arrive in the order of their commits: the
    aggregate is locked until yours, so publish late in the transaction. ``data`` must fit JSON. ``source`` is the service's name and ``id``
    a random one unless given; a second event with both the same is refused by the database. The current span goes along.

    Raises NoTransactionError outside of ``transaction.atomic()`` (unless ``OTELKIT["events"]["require_transaction"]`` is off), ValueError
    for a name that is empty or too long, TypeError for data that JSON cannot hold, and what the database raises.
    """
    from django.db import router, transaction

    from otelkit.patterns.events.models import OutboxEvent

    settings = chosen()
    source = source or settings.source
    names = {"type": type, "destination": destination, "source": source, "aggregate": aggregate, "subject": subject, "id": id}
    _check(names)
    json.dumps(data, cls=DjangoJSONEncoder)  # here, where the traceback shows the caller, and not in the driver
    using = using or router.db_for_write(OutboxEvent)
    if settings.require_transaction and not transaction.get_connection(using).in_atomic_block:
        raise NoTransactionError(
            f'publish("{type}") needs a transaction on the database "{using}", so that event and data are stored together or not at all. '
            f'Call it within transaction.atomic(), or allow this by OTELKIT = {{"events": {{"require_transaction": False}}}}.'
        )
    carried = telemetry.current_trace()
    with transaction.atomic(using, savepoint=False):
        return OutboxEvent.objects.using(using).create(
            event_id=id or uuid.uuid4().hex,
            source=source,
            type=type,
            subject=subject,
            data=data,
            destination=destination,
            aggregate=aggregate,
            position=_next_position(source, destination, aggregate, using) if aggregate else None,
            traceparent=carried.traceparent,
            tracestate=carried.tracestate,
        )


async def apublish(
    type: str,
    data: Any = None,
    *,
    destination: str,
    aggregate: str = "",
    subject: str = "",
    id: str = "",
    source: str = "",
    using: str | None = None,
) -> OutboxEvent:
    """:func:`publish` for async code: stores an event in the transaction that is open in the thread where Django's async ORM works.

    Django has no transactions in async code, so one is open there where a plain function opened it, and called this by ``async_to_sync``;
    a handler of :func:`~otelkit.patterns.events.subscribe` is called so. An async view has none: there, put data and ``publish()`` into a
    plain function, and await that by ``sync_to_async``. Raises what :func:`publish` raises.
    """
    from asgiref.sync import sync_to_async

    return await sync_to_async(publish)(
        type, data, destination=destination, aggregate=aggregate, subject=subject, id=id, source=source, using=using
    )


def _check(names: dict[str, str]) -> None:
    for name, value in names.items():
        if not isinstance(value, str) or not is_storable(value):
            raise ValueError(
                f"publish(): {name} must be a text of at most {LONGEST_NAME} characters without NUL; it is {str(value)[:80]!r}."
            )
    if empty := [name for name in ("type", "destination", "source") if not names[name]]:
        raise ValueError(f"publish() needs {' and '.join(empty)}, and was given an empty text.")


def _next_position(source: str, destination: str, aggregate: str, using: str) -> int:
    """One more than the last, and nobody else's before the commit."""
    from django.db import IntegrityError, transaction
    from django.db.models import F

    from otelkit.patterns.events.models import OutboxStream

    stream = OutboxStream.objects.using(using).filter(source=source, destination=destination, aggregate=aggregate)
    if not stream.update(position=F("position") + 1):
        try:
            with transaction.atomic(using):
                OutboxStream.objects.using(using).create(source=source, destination=destination, aggregate=aggregate, position=1)
            return 1
        except IntegrityError:  # somebody else's first event came in between
            stream.update(position=F("position") + 1)
    return stream.values_list("position", flat=True).get()
