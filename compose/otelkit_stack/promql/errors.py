"""Why a query has no answer. Texts are those of Prometheus, so that clients which read them keep working."""

from __future__ import annotations

from typing import ClassVar


class QueryError(Exception):
    """A query that failed; ``kind`` is the ``errorType`` of Prometheus' HTTP API."""

    kind: ClassVar[str] = "execution"


class BadQueryError(QueryError):
    """A text that cannot be evaluated, whatever the data."""

    kind: ClassVar[str] = "bad_data"


class ParseError(BadQueryError):
    """Text that is no PromQL, or PromQL whose types do not fit; the text begins with ``line:column``."""

    def __init__(self, position: str, reason: str) -> None:
        super().__init__(f"{position}: parse error: {reason}")


class NotEnabledError(ParseError):
    """Syntax that is experimental in Prometheus 3.14, which answers the same unless it is started with a feature flag."""


class BadParameterError(QueryError):
    """Times or a resolution that no query can be evaluated at."""

    kind: ClassVar[str] = "bad_data"


class EvaluationError(QueryError):
    """A query that is well-formed and has no answer on this data."""


class TooManySamplesError(QueryError):
    """The query would hold more samples in memory than the limit allows."""

    def __init__(self) -> None:
        super().__init__("query processing would load too many samples into memory in query execution")


class QueryTimeoutError(QueryError):
    """The query took longer than it may."""

    kind: ClassVar[str] = "timeout"

    def __init__(self) -> None:
        super().__init__("query timed out in expression evaluation")


class QueryCanceledError(QueryError):
    """Somebody gave the query up."""

    kind: ClassVar[str] = "canceled"

    def __init__(self) -> None:
        super().__init__("query was canceled in expression evaluation")
