"""Everything that one may do with a connection, as a list of outcomes that can be compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, connections, models, transaction

from tests.project.models import Item

Outcome = tuple[str, str, Any]
"""Name of the step, ``returned`` or ``raised``, and what."""


def outcomes(alias: str) -> list[Outcome]:
    """Runs every step, each on the same rows, and says what came of it."""
    return [_outcome(step, alias) for step in STEPS]


def _outcome(step: Callable[[str], Any], alias: str) -> Outcome:
    items = Item.objects.using(alias)
    items.all().delete()
    items.bulk_create([Item(pk=number, name=f"name {number}") for number in range(1, 8)])
    try:
        return step.__name__, "returned", step(alias)
    except Exception as error:  # noqa: BLE001  (whatever it is, it is what is compared)
        cause = error.__cause__
        said = (type(error), str(error), error.args, type(cause), str(cause), getattr(cause, "sqlstate", None))
        return step.__name__, "raised", said


def _rows(alias: str) -> list[tuple[int, str]]:
    return list(Item.objects.using(alias).order_by("pk").values_list("pk", "name"))


def orm(alias: str) -> Any:
    items = Item.objects.using(alias)
    updated = items.filter(pk__gt=5).update(name="changed")
    found = items.in_bulk([1, 2]), items.filter(name__contains="%").exists(), items.aggregate(models.Max("pk"))
    return updated, found, items.filter(pk=1).delete(), _rows(alias)


def raw_cursor(alias: str) -> Any:
    with connections[alias].cursor() as cursor:
        result = cursor.execute("SELECT id, name FROM project_item WHERE id <= %s ORDER BY id", [3])
        names = [column[0] for column in cursor.description]
        return type(result), names, cursor.fetchone(), cursor.fetchmany(1), cursor.fetchall(), cursor.rowcount


def literal(alias: str) -> Any:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT name FROM project_item WHERE name LIKE 'name %' AND id = 2")
        return cursor.fetchall()


def named_parameters(alias: str) -> Any:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT name FROM project_item WHERE id = %(pk)s", {"pk": 4})
        return cursor.fetchall()


def executemany(alias: str) -> Any:
    with connections[alias].cursor() as cursor:
        cursor.executemany("INSERT INTO project_item (id, name) VALUES (%s, %s)", iter([(20, "a"), (21, "b")]))
        return cursor.rowcount, _rows(alias)


def executemany_of_nothing(alias: str) -> Any:
    with connections[alias].cursor() as cursor:
        cursor.executemany("INSERT INTO project_item (id, name) VALUES (%s, %s)", [])
    return _rows(alias)


def iterator(alias: str) -> Any:
    found = [item.pk for item in Item.objects.using(alias).order_by("pk").iterator(chunk_size=2)]
    with transaction.atomic(using=alias):
        return found, [item.pk for item in Item.objects.using(alias).order_by("-pk").iterator(chunk_size=3)]


def iterator_left_early(alias: str) -> Any:
    iterator = Item.objects.using(alias).order_by("pk").iterator(chunk_size=2)
    first = next(iterator).pk
    iterator.close()
    return first, _rows(alias)


def raw_queryset(alias: str) -> Any:
    return [item.name for item in Item.objects.raw("SELECT * FROM project_item WHERE id < %s ORDER BY id", [3], using=alias)]


def copy(alias: str) -> Any:
    with connections[alias].cursor() as cursor:
        with cursor.copy("COPY project_item (id, name) FROM STDIN") as rows:
            rows.write_row((30, "copied"))
        with cursor.copy("COPY (SELECT id, name FROM project_item ORDER BY id DESC LIMIT 1) TO STDOUT") as rows:
            return b"".join(bytes(part) for part in rows)


def callproc(alias: str) -> Any:
    with connections[alias].cursor() as cursor:
        cursor.callproc("lower", ["LOUD"])
        return cursor.fetchall()


def composed(alias: str) -> Any:
    from psycopg import sql

    with connections[alias].cursor() as cursor:
        query = sql.SQL("SELECT {} FROM {} WHERE name = {} OR id = %s ORDER BY id")
        cursor.execute(query.format(sql.Identifier("name"), sql.Identifier("project_item"), sql.Literal("name 5")), [6])
        return cursor.fetchall()


def savepoints(alias: str) -> Any:
    with transaction.atomic(using=alias):
        Item.objects.using(alias).filter(pk=1).update(name="kept")
        try:
            with transaction.atomic(using=alias):
                Item.objects.using(alias).filter(pk=2).update(name="lost")
                raise KeyError("undo")
        except KeyError:
            pass
        with transaction.atomic(using=alias):
            Item.objects.using(alias).filter(pk=3).update(name="kept too")
    return _rows(alias)


def rollback(alias: str) -> Any:
    try:
        with transaction.atomic(using=alias):
            Item.objects.using(alias).all().delete()
            raise KeyError("undo")
    except KeyError:
        return _rows(alias)


def duplicate_key(alias: str) -> Any:
    Item.objects.using(alias).create(pk=1, name="again")


def broken_transaction(alias: str) -> Any:
    with transaction.atomic(using=alias):
        try:
            Item.objects.using(alias).create(pk=1, name="again")
        except DatabaseError:
            Item.objects.using(alias).count()


def syntax_error(alias: str) -> Any:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELEC 1")


def missing_table(alias: str) -> Any:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT 1 FROM nowhere WHERE x = %s", [1])


def too_few_parameters(alias: str) -> Any:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT %s, %s", [1])


def parameter_of_no_known_type(alias: str) -> Any:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT %s", [_NoType])


class _NoType:
    pass


def no_statement(alias: str) -> Any:
    with connections[alias].cursor() as cursor:
        cursor.execute(7)


def empty_statement(alias: str) -> Any:
    with connections[alias].cursor() as cursor:
        cursor.execute("")
        return cursor.rowcount


def closed_cursor(alias: str) -> Any:
    with connections[alias].cursor() as cursor:
        cursor.close()
        cursor.execute("SELECT 1")


def blocked_by_a_wrapper(alias: str) -> Any:
    def refuse(*_: object) -> None:
        raise PermissionError("no queries here")

    with connections[alias].execute_wrapper(refuse):
        Item.objects.using(alias).count()


def for_update_and_explain(alias: str) -> Any:
    with transaction.atomic(using=alias):
        locked = [item.pk for item in Item.objects.using(alias).select_for_update().filter(pk__lt=3).order_by("pk")]
    return locked, "project_item" in Item.objects.using(alias).filter(pk=1).explain()


STEPS: tuple[Callable[[str], Any], ...] = (
    orm, raw_cursor, literal, named_parameters, executemany, executemany_of_nothing, iterator, iterator_left_early, raw_queryset, copy,
    callproc, composed, savepoints, rollback, duplicate_key, broken_transaction, syntax_error, missing_table, too_few_parameters,
    parameter_of_no_known_type, no_statement, empty_statement, closed_cursor, blocked_by_a_wrapper, for_update_and_explain,
)  # fmt: skip
