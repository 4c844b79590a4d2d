"""Assertions about database queries, by the same counts that the request's span, metric and access line have.

with capture() as telemetry:
    with telemetry.assert_queries(at_most=3):
        client.get("/orders/")
    telemetry.assert_query_budget(10)
    telemetry.assert_no_n_plus_one()
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from typing import Any

from otelkit.catalog import logs as keys
from otelkit.database.statements import TRANSACTION_CONTROL

_REMEDY = "Fetch the rows in one query (select_related, prefetch_related, in_bulk), or allow it with at_most."
_NO_REQUEST = (
    "No request{named} was captured, so nothing can be said about its queries. "
    "A test client that had made requests before capture() keeps its old middleware; code without a request is for assert_queries()."
)


class QueryAssertions(ABC):
    """What :class:`otelkit.testing.Received` and :class:`otelkit.testing.Telemetry` can say about queries."""

    @property
    @abstractmethod
    def spans(self) -> list[dict[str, Any]]:
        """Every span so far."""

    def assert_no_n_plus_one(self, name: str | None = None, *, at_most: int = 0) -> None:
        """Fails where a request ran one statement as often as the setting ``database.n_plus_one`` says, and more than ``at_most`` times.

        ``name`` looks at requests of one name only, like ``GET /orders/``. Raises AssertionError with the statement and the line that
        runs it; also where there is no such request, because then nothing was tested.
        """
        __tracebackhide__ = True
        found = [span for span in requests_among(self.spans, name) if span["attributes"].get(keys.DB_QUERY_REPEATED_COUNT, 0) > at_most]
        if found:
            raise AssertionError("\n".join([*map(_n_plus_one, found), _REMEDY]))

    def assert_query_budget(self, at_most: int, name: str | None = None) -> None:
        """Fails where a request ran more than ``at_most`` queries; BEGIN, SAVEPOINT and the like do not count.

        ``name`` looks at requests of one name only, like ``GET /orders/``. Raises AssertionError with every statement of such a request,
        how often it ran and which line ran it; also where there is no such request, because then nothing was tested.
        """
        __tracebackhide__ = True
        check_query_budget(self.spans, at_most, name)


def check_query_budget(spans: list[dict[str, Any]], at_most: int, name: str | None) -> None:
    """Raises AssertionError where a request among these spans ran more queries, or where there is no request."""
    __tracebackhide__ = True
    rows = []
    for request in requests_among(spans, name):
        queries = [span for span in spans if span["trace_id"] == request["trace_id"] and is_query(span)]
        count = request["attributes"].get(keys.DB_QUERY_COUNT, len(queries))  # the engine "upstream" does not count
        if count > at_most:
            rows += [f"{request['name']} ran {count} queries, its budget is {at_most}:", *statement_rows(queries)]
    if rows:
        raise AssertionError("\n".join(rows))


def requests_among(spans: list[dict[str, Any]], name: str | None) -> list[dict[str, Any]]:
    """The requests of this name, or all of them. Raises AssertionError where there is none."""
    __tracebackhide__ = True
    requests = [span for span in spans if span["kind"] == "SERVER" and name in (None, span["name"])]
    if not requests:
        raise AssertionError(_NO_REQUEST.format(named=f" {name}" if name else ""))
    return requests


def is_query(span: dict[str, Any]) -> bool:
    """Whether it is a query of the application's: transaction control that was slow or failed has a span too."""
    attributes = span["attributes"]
    return "db.query.text" in attributes and span["kind"] == "CLIENT" and attributes["db.operation.name"] not in TRANSACTION_CONTROL


def statement_rows(queries: list[dict[str, Any]]) -> list[str]:
    """A row for each statement: how often it ran, its text, and the line that ran it where that is known."""
    runs = Counter((span["attributes"]["db.query.text"], _caller(span)) for span in queries)
    return [f"  {times} x {text}{caller}" for (text, caller), times in runs.most_common()]


def _n_plus_one(span: dict[str, Any]) -> str:
    attributes = span["attributes"]
    caller = attributes.get(keys.DB_QUERY_REPEATED_CALLER, "a line outside of the project")
    times, text = attributes[keys.DB_QUERY_REPEATED_COUNT], attributes[keys.DB_QUERY_REPEATED_TEXT]
    return f"{span['name']} ran one statement {times} times, from {caller}: {text}"


def _caller(span: dict[str, Any]) -> str:
    attributes = span["attributes"]
    path = attributes.get("code.file.path")
    return f"  ({path}:{attributes['code.line.number']})" if path else ""
