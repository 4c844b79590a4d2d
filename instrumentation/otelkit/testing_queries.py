"""Assertions about database queries, by the same counts that the request's span, metric and access line have.

with capture() as telemetry:
    with telemetry.assert_queries(at_most=3):
        client.get("/orders/")
    telemetry.assert_no_n_plus_one()
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.trace import Tracer

from otelkit.catalog import logs as keys
from otelkit.database.statements import TRANSACTION_CONTROL

_REMEDY = "Fetch the rows in one query (select_related, prefetch_related, in_bulk), or allow it with at_most."


class QueryAssertions(ABC):
    """What :class:`otelkit.testing.Telemetry` can say about queries."""

    runtime: Any

    @property
    @abstractmethod
    def spans(self) -> list[dict[str, Any]]:
        """Every span so far."""

    def assert_no_n_plus_one(self, name: str | None = None, *, at_most: int = 0) -> None:
        """Fails where a request ran one statement as often as the setting ``database.n_plus_one`` says, and more than ``at_most`` times.

        ``name`` looks at requests of one name only, like ``GET /orders/``. Raises AssertionError with the statement and the line that
        runs it; also where there is no such request, because then nothing was tested.
        """
        requests = [span for span in self.spans if span["kind"] == "SERVER" and name in (None, span["name"])]
        assert requests, f"No request{f' {name}' if name else ''} was captured, so nothing can be said about its queries."
        found = [span for span in requests if span["attributes"].get(keys.DB_QUERY_REPEATED_COUNT, 0) > at_most]
        assert not found, "\n".join([*map(_n_plus_one, found), _REMEDY])

    @contextmanager
    def assert_queries(self, *, exactly: int | None = None, at_most: int | None = None) -> Iterator[None]:
        """Fails unless the block runs ``exactly`` so many queries, or ``at_most`` so many; BEGIN, SAVEPOINT and the like do not count.

        Requests of the test client inside the block count, and so do queries without any request. Needs every trace to be kept, which is
        the default. Raises AssertionError with every statement, how often it ran and which line ran it, and TypeError unless exactly one
        of both limits is given.
        """
        if (exactly is None) == (at_most is None):
            raise TypeError("assert_queries() takes exactly one of exactly=... and at_most=...")
        before = len(self.spans)
        tracer: Tracer = self.runtime.tracer
        with tracer.start_as_current_span("assert_queries"):
            yield
        queries = [span for span in self.spans[before:] if _is_query(span)]
        wanted = f"exactly {exactly}" if at_most is None else f"at most {at_most}"
        is_met = len(queries) == exactly if at_most is None else len(queries) <= at_most
        assert is_met, "\n".join([f"{len(queries)} queries ran, {wanted} should have:", *_statements(queries)])


def _is_query(span: dict[str, Any]) -> bool:
    """Whether it is a query of the application's: transaction control that was slow or failed has a span too."""
    attributes = span["attributes"]
    return "db.query.text" in attributes and span["kind"] == "CLIENT" and attributes["db.operation.name"] not in TRANSACTION_CONTROL


def _n_plus_one(span: dict[str, Any]) -> str:
    attributes = span["attributes"]
    caller = attributes.get(keys.DB_QUERY_REPEATED_CALLER, "a line outside of the project")
    times, text = attributes[keys.DB_QUERY_REPEATED_COUNT], attributes[keys.DB_QUERY_REPEATED_TEXT]
    return f"{span['name']} ran one statement {times} times, from {caller}: {text}"


def _statements(queries: list[dict[str, Any]]) -> list[str]:
    runs = Counter((span["attributes"]["db.query.text"], _caller(span)) for span in queries)
    return [f"  {times} x {text}{caller}" for (text, caller), times in runs.most_common()]


def _caller(span: dict[str, Any]) -> str:
    attributes = span["attributes"]
    path = attributes.get("code.file.path")
    return f"  ({path}:{attributes['code.line.number']})" if path else ""
