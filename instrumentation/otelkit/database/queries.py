"""A statement on a database, and what all its runs have in common: labels and attributes, made once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from otelkit.database.statements import Statement, is_lasting, parse_statement
from otelkit.database.targets import Target
from otelkit.metrics.aggregator import LabelValues
from otelkit.traces.span import LONGEST_SMALL_TEXT


class Query:
    """One statement on one database."""

    __slots__ = ("attributes", "is_small", "labels", "statement")

    def __init__(self, statement: Statement, target: Target) -> None:
        self.statement = statement
        self.labels: LabelValues = (target.system, target.namespace, statement.operation, statement.table, None)
        """Of a run that succeeds."""
        self.attributes: dict[str, Any] = {
            "db.system.name": target.system,
            "db.namespace": target.namespace,
            "db.operation.name": statement.operation,
            "db.query.summary": statement.summary,
            "db.query.text": statement.text,
            **dict(target.attributes),
        }
        """Of each span, to be copied."""
        if statement.table is not None:
            self.attributes["db.collection.name"] = statement.table
        self.is_small = all(len(str(value)) <= LONGEST_SMALL_TEXT for value in self.attributes.values())


def query_of(sql: str, target: Target, *, has_parameters: bool) -> Query:
    """The statement as :func:`parse_statement` reads it, on this database."""
    return _remembered(sql, has_parameters, target) if is_lasting(sql) else _read(sql, has_parameters, target)


def _read(sql: str, has_parameters: bool, target: Target) -> Query:
    return Query(parse_statement(sql, has_parameters=has_parameters), target)


_remembered = lru_cache(maxsize=1024)(_read)
