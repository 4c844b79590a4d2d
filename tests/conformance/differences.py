"""Where otelkit differs from upstream on purpose: which fact, in which requests, and why, in one sentence.

What is not listed here must be equal; what is listed must differ. Ids like A8 are rows of the acceptance list.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.conformance.exchanges import EXCHANGES


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact that differs, in all of these requests."""

    fact: str
    requests: tuple[str, ...]
    why: str


def _all_but(*names: str) -> tuple[str, ...]:
    return tuple(exchange.name for exchange in EXCHANGES if exchange.name not in names)


ASYNC = ("async project", "async project, 500 raised")
WITHOUT_SPAN = (*ASYNC, "disallowed host", "excluded path", "caller not sampled")
"""Requests that give no span: upstream never, or neither side."""
SPANS = _all_but(*WITHOUT_SPAN)
DURATIONS = _all_but(*ASYNC, "disallowed host", "excluded path", "system exit")
UNMATCHED = ("404 unmatched", "path beyond ASCII")
CLIENT_ERRORS = ("400", "403", "404 raised")

_UNSEEN_HOST = (
    "A9: a request with a forbidden Host header is answered, so it is counted; upstream reads the host before it begins, and fails."
)
_UNSEEN_ASYNC = (
    "A3: one span and one duration under ASGI too; upstream skips it in silence where its instrumentation for ASGI is not installed."
)
_ROUTE = (
    "A10: routes are URL templates of one form for path(), re_path() and includes, with a leading slash as semantic conventions show them."
)
_LATE_NAME = "A10: the span is named by the route that matched in the end"
_NO_ERROR = "A8: semantic conventions (HTTP spans, Status) leave the status of a server span unset for 4xx, however the view made it."
_CLASS = 'A8: semantic conventions name the exception\'s class as "error.type" where there is one; the status code is an attribute anyway.'
_LEAVING = "A7: a request that SystemExit passes through ends like every other: counted, marked as an error, and no longer active."
_BODY = "A6: a streamed request lasts until its body is out, and what the generator does belongs to its trace."
_PEER = "The telemetry contract keeps client addresses out: they identify people, and semantic conventions only recommend them."
_QUERIES = "A17: each request says how many queries it made, how long they took and how many repeat another; upstream has no such thing."
_PHASES = "The telemetry contract: a request says what its time went to, without spans; upstream has no such thing."

DIFFERENCES = (
    # --- whether there is anything at all -------------------------------------------------------------------------------
    Difference("server spans", ("disallowed host",), _UNSEEN_HOST),
    Difference("durations", ("disallowed host",), _UNSEEN_HOST),
    Difference("server spans", ASYNC, _UNSEEN_ASYNC),
    Difference("durations", ASYNC, _UNSEEN_ASYNC),
    Difference("child in a probe", ("excluded path",), "A13: below an excluded request nothing is traced; upstream leaves orphans behind."),
    # --- name and route -------------------------------------------------------------------------------------------------
    Difference("span.http.route", tuple(name for name in SPANS if name not in UNMATCHED), _ROUTE),
    Difference(
        "span.name",
        tuple(name for name in SPANS if name not in (*UNMATCHED, "root", "language", "mounted", "unknown method")),
        _ROUTE,
    ),
    Difference("span.name", ("root",), f"{_LATE_NAME}, which for the root is `/`; upstream takes its empty pattern for none."),
    Difference("span.name", ("language",), f"{_LATE_NAME}; upstream resolves before LocaleMiddleware has chosen the language."),
    Difference("span.name", ("mounted",), f"{_LATE_NAME}; upstream resolves with the mount point, which no pattern has."),
    Difference(
        "span.name",
        ("unknown method",),
        "Semantic conventions (HTTP spans, Name): `HTTP` replaces the method, the route stays part of the name.",
    ),
    Difference("duration.http.route", tuple(name for name in DURATIONS if name not in UNMATCHED), _ROUTE),
    Difference(
        "duration.http.route",
        UNMATCHED,
        "A10: what no pattern matched shares one series that says so; without it, it would be one with upstream's root.",
    ),
    # --- address, path and query ----------------------------------------------------------------------------------------
    Difference(
        "span.server.address",
        SPANS,
        "A16: semantic conventions define the address without the port, which is `server.port`; upstream copies the Host header whole.",
    ),
    Difference("span.client.address", SPANS, _PEER),
    Difference("span.client.port", SPANS, _PEER),
    Difference(
        "span.url.query", ("query with a secret",), "C2: values of unknown query keys are dropped by default; upstream records them."
    ),
    Difference("span.url.path", ("token in the path",), "C1: what the pattern calls a token is redacted; upstream records it."),
    Difference(
        "span.url.path",
        ("mounted",),
        "Semantic conventions define it as the path of the URL, mount point included; upstream takes PATH_INFO.",
    ),
    # --- errors ---------------------------------------------------------------------------------------------------------
    Difference("span.status", CLIENT_ERRORS, _NO_ERROR),
    Difference("span.status message", CLIENT_ERRORS, _NO_ERROR),
    Difference("span.events", CLIENT_ERRORS, _NO_ERROR),
    Difference("span.error.type", ("500 raised",), _CLASS),
    Difference("duration.error.type", ("500 raised",), _CLASS),
    Difference("span.status message", ("500 raised",), "C1: the exception's text may hold a secret, so the class describes the status."),
    Difference("span.status", ("system exit",), _LEAVING),
    Difference("span.status message", ("system exit",), _LEAVING),
    Difference("span.events", ("system exit",), _LEAVING),
    Difference("span.error.type", ("system exit",), _LEAVING),
    Difference("durations", ("system exit",), _LEAVING),
    Difference("still active", ("system exit",), _LEAVING),
    # --- streaming ------------------------------------------------------------------------------------------------------
    Difference("span.covers the body", ("streamed",), _BODY),
    Difference("duration.covers the body", ("streamed",), _BODY),
    Difference("child piece 0", ("streamed",), _BODY),
    Difference("child piece 1", ("streamed",), _BODY),
    Difference("child piece 2", ("streamed",), _BODY),
    # --- what we add, and leave out -------------------------------------------------------------------------------------
    Difference(
        "span.code.function.name", tuple(name for name in SPANS if name not in UNMATCHED), "A10: the span says which view answered."
    ),
    Difference("span.db.query.count", SPANS, _QUERIES),
    Difference("span.db.query.duplicates", SPANS, _QUERIES),
    Difference("span.db.duration", SPANS, _QUERIES),
    Difference("span.django.request.phase.middleware_ms", SPANS, _PHASES),
    Difference("span.django.request.phase.view_ms", SPANS, _PHASES),
    Difference(
        "duration.network.protocol.version",
        DURATIONS,
        "Semantic conventions only recommend it, and it would multiply every series by the versions of a proxy; the span has it.",
    ),
)
