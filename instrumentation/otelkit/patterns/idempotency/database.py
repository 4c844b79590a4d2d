"""Keys in a table: key, work and answer in one transaction, committed together or not at all.

Whoever comes second, while the first is at it, is told so at once on PostgreSQL (by an advisory lock), and elsewhere when the database has
waited for the lock of the first. A process that dies before its commit has done nothing, and one that dies after it has left its answer.

An answer that is not final (5xx, 401, 403, 409, 429, ...) undoes what its view wrote to this database. A database that is away fails the
request: without its key it might be done twice, which is what the caller asked not to happen.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, OperationalError, connections, router, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.utils import timezone

from otelkit.patterns.idempotency.answering import (
    LARGEST_ANSWER,
    conflict,
    done_before,
    in_progress,
    is_final,
    kept_headers,
    key_of,
    replayed,
)
from otelkit.patterns.idempotency.fingerprint import addressee, digest, fingerprint
from otelkit.patterns.idempotency.models import IdempotencyKey
from otelkit.patterns.idempotency.recording import counted

_BATCH = 1000


class _NotKeptError(Exception):
    """Carries an answer that is not final out of the transaction, which it undoes."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        self.response = response


def done_once(
    request: HttpRequest,
    work: Callable[[], HttpResponseBase],
    *,
    methods: tuple[str, ...],
    required: bool,
    keep_for: float,
    scope: Callable[[HttpRequest], str],
    using: str | None,
) -> HttpResponseBase:
    """The answer of ``work``, or the one that it gave before. Raises what ``work`` and the database raise."""
    given = key_of(request, required=required) if request.method in methods else None
    if isinstance(given, HttpResponse):
        return given
    if given is None:
        return work()
    using = using or router.db_for_write(IdempotencyKey)
    whom = digest(*addressee(request, scope))
    row = IdempotencyKey(scope=whom, key=given, fingerprint=fingerprint(request), expires_at=timezone.now() + timedelta(seconds=keep_for))
    try:
        with transaction.atomic(using):
            known = _claim(row, using)
            if known is not None:
                return known
            counted("new")
            response = work()
            if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
                response = response.render()  # here, so that its body is committed with the work
            if not isinstance(response, HttpResponseBase) or not is_final(response) or transaction.get_rollback(using):
                raise _NotKeptError(response)
            _keep(row, response, using)
            return response
    except _NotKeptError as found:
        answer: HttpResponseBase = found.response
        return answer


def _claim(row: IdempotencyKey, using: str) -> HttpResponse | None:
    """Stores the key, which nobody else can before the end of the transaction; the answer, where there is one already."""
    try:
        if not _is_alone(row, using):
            return in_progress()
        with transaction.atomic(using):
            # Stored first and asked for then: who reads first in SQLite may not write any more when somebody else has written.
            row.save(using=using, force_insert=True)
        return None
    except IntegrityError:
        found = IdempotencyKey.objects.using(using).select_for_update().filter(scope=row.scope, key=row.key).first()
    except OperationalError as error:
        if _is_lock(error):
            return in_progress()
        raise
    if found is None:  # it was undone, or swept away, between the two questions
        return in_progress()
    if found.expires_at <= timezone.now():
        row.pk = found.pk
        row.save(using=using, force_update=True)
        return None
    if found.fingerprint != row.fingerprint:
        return conflict()
    return done_before() if found.body is None else replayed(found.status, found.headers, bytes(found.body))


def _is_alone(row: IdempotencyKey, using: str) -> bool:
    """Whether nobody else is at this key, where the database can tell without waiting."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return True
    number = int.from_bytes(bytes.fromhex(digest(row.scope, row.key))[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        return bool(cursor.fetchone()[0])


def _is_lock(error: OperationalError) -> bool:
    """Whether the database gave up waiting for somebody else: SQLite says so in words, MySQL by a number."""
    return "locked" in str(error) or bool(error.args and error.args[0] in (1205, 1213))


def _keep(row: IdempotencyKey, response: HttpResponseBase, using: str) -> None:
    row.status, row.headers = response.status_code, kept_headers(response)
    # `isinstance` leaves out streams: they are made after the commit, and a second time they would be another one.
    if isinstance(response, HttpResponse) and len(response.content) <= LARGEST_ANSWER:
        row.body = response.content
    row.save(using=using, force_update=True)


def sweep(using: str) -> int:
    """Takes away what has expired; gives how many. Raises what the database raises."""
    gone = 0
    while True:
        expired = IdempotencyKey.objects.using(using).filter(expires_at__lte=timezone.now())
        numbers = list(expired.values_list("pk", flat=True)[:_BATCH])
        if not numbers:
            return gone
        gone += IdempotencyKey.objects.using(using).filter(pk__in=numbers, expires_at__lte=timezone.now()).delete()[0]
