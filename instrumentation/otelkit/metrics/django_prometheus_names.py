"""The names of django-prometheus, from what the kit counts anyway: for boards and rules that read them, without its middlewares.

What differs: ``view`` is the route (``/orders/{pk}``) in place of the view's name, bounds are ours, and excluded paths are not counted.
What is missing is what the kit does not know: AJAX, templates, charsets, sizes, new connections, models and caches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from django.db import connections

from otelkit.catalog.labels import (
    DB_NAMESPACE,
    DB_SYSTEM_NAME,
    ERROR_TYPE,
    EXCEPTION_TYPE,
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
    HTTP_ROUTE,
    URL_SCHEME,
    Label,
)
from otelkit.catalog.metrics import (
    DB_CLIENT_OPERATION_DURATION,
    DJANGO_MIGRATIONS_UNAPPLIED,
    ERRORS_CAPTURED,
    HTTP_SERVER_REQUEST_DURATION,
    Metric,
)
from otelkit.database.targets import target_of
from otelkit.metrics.aggregator import OVERFLOW, Aggregator, LabelValues, Snapshot
from otelkit.metrics.sdk_points import Histograms, Numbers

Row = dict[str, Any]
"""Label of ours -> its value."""
Labelling = Callable[[Row], dict[str, str] | None]
"""The labels of django-prometheus for a series of ours; None leaves the series out."""

VENDORS = {"oracle.db": "oracle", "microsoft.sql_server": "microsoft"}
"""What Django calls a database otherwise than the semantic conventions do."""
_INVALID_METHOD = "<invalid method>"


def _of(label: Label, row: Row, other: str = "_OTHER") -> str:
    value = row.get(label.name)
    return other if value is None else str(value)


def _method(row: Row) -> str:
    method = _of(HTTP_REQUEST_METHOD, row)
    return _INVALID_METHOD if method in ("_OTHER", "QUERY") else method


def _view(row: Row) -> str:
    return _of(HTTP_ROUTE, row)


def _answered(row: Row) -> bool:
    return row.get(HTTP_RESPONSE_STATUS_CODE.name) is not None


REQUESTS: tuple[tuple[str, str, Labelling], ...] = (
    ("django_http_requests_before_middlewares_total", "Requests.", lambda _: {}),
    ("django_http_responses_before_middlewares_total", "Answers.", lambda row: {} if _answered(row) else None),
    ("django_http_requests_total_by_method_total", "Requests by method.", lambda row: {"method": _method(row)}),
    ("django_http_requests_total_by_transport_total", "Requests by transport.", lambda row: {"transport": _of(URL_SCHEME, row)}),
    (
        "django_http_requests_total_by_view_transport_method_total",
        "Requests by route, transport and method.",
        lambda row: {"view": _view(row), "transport": _of(URL_SCHEME, row), "method": _method(row)},
    ),
    (
        "django_http_responses_total_by_status_total",
        "Answers by status.",
        lambda row: {"status": _of(HTTP_RESPONSE_STATUS_CODE, row)} if _answered(row) else None,
    ),
    (
        "django_http_responses_total_by_status_view_method_total",
        "Answers by status, route and method.",
        lambda row: {"status": _of(HTTP_RESPONSE_STATUS_CODE, row), "view": _view(row), "method": _method(row)} if _answered(row) else None,
    ),
)
LATENCIES: tuple[tuple[str, str, Labelling], ...] = (
    ("django_http_requests_latency_including_middlewares_seconds", "Time to answer a request.", lambda _: {}),
    (
        "django_http_requests_latency_seconds_by_view_method",
        "Time to answer a request, by route and method.",
        lambda row: {"view": _view(row), "method": _method(row)},
    ),
)
EXCEPTIONS: tuple[tuple[str, str, Labelling], ...] = (
    ("django_http_exceptions_total_by_type_total", "Exceptions by class.", lambda row: {"type": _class_name(_of(EXCEPTION_TYPE, row))}),
    ("django_http_exceptions_total_by_view_total", "Exceptions by route.", lambda row: {"view": _view(row)}),
)


def emulated(aggregator: Aggregator) -> Iterator[Numbers | Histograms]:
    """The series, from what the aggregator holds now."""
    held = {snapshot.metric: snapshot for snapshot in aggregator.collect()}
    aliases = _aliases()

    def database(row: Row) -> dict[str, str]:
        namespace, system = _of(DB_NAMESPACE, row), _of(DB_SYSTEM_NAME, row)
        return {"alias": aliases.get(namespace, namespace), "vendor": VENDORS.get(system, system)}

    def failed(row: Row) -> dict[str, str] | None:
        error = row.get(ERROR_TYPE.name)
        return None if error is None else database(row) | {"type": _class_name(str(error))}

    def connection(row: Row) -> dict[str, str]:
        namespace = _of(DB_NAMESPACE, row)
        return {"connection": aliases.get(namespace, namespace)}

    queries = (("django_db_execute_total", "Statements.", database), ("django_db_errors_total", "Statements that failed.", failed))
    durations = (("django_db_query_duration_seconds", "Time of a statement.", database),)
    yield from _counts(held.get(HTTP_SERVER_REQUEST_DURATION), REQUESTS)
    yield from _times(held.get(HTTP_SERVER_REQUEST_DURATION), LATENCIES)
    yield from _counts(held.get(ERRORS_CAPTURED), EXCEPTIONS)
    yield from _counts(held.get(DB_CLIENT_OPERATION_DURATION), queries)
    yield from _times(held.get(DB_CLIENT_OPERATION_DURATION), durations)
    for made in _counts(held.get(DJANGO_MIGRATIONS_UNAPPLIED), (("django_migrations_unapplied_total", "Not applied.", connection),)):
        yield Numbers(made.series, made.help, made.points, counts=False)


def _counts(snapshot: Snapshot | None, names: tuple[tuple[str, str, Labelling], ...]) -> Iterator[Numbers]:
    if snapshot is None:
        return
    found = [(_row(snapshot.metric, point.labels), float(sum(point.counts))) for point in snapshot.histograms]
    found += [(_row(snapshot.metric, number.labels), number.value) for number in snapshot.numbers]
    for name, text, labelling in names:
        sums: dict[tuple[tuple[str, str], ...], float] = {}
        for row, amount in found:
            labels = labelling(row)
            if labels is not None:
                key = tuple(labels.items())
                sums[key] = sums.get(key, 0.0) + amount
        if sums:
            yield Numbers(name, text, [(dict(key), amount) for key, amount in sums.items()], counts=True)


def _times(snapshot: Snapshot | None, names: tuple[tuple[str, str, Labelling], ...]) -> Iterator[Histograms]:
    if snapshot is None:
        return
    for name, text, labelling in names:
        sums: dict[tuple[tuple[str, str], ...], tuple[tuple[int, ...], float]] = {}
        for point in snapshot.histograms:
            labels = labelling(_row(snapshot.metric, point.labels))
            if labels is not None:
                key = tuple(labels.items())
                counts, total = sums.get(key, ((0,) * len(point.counts), 0.0))
                sums[key] = (tuple(map(sum, zip(counts, point.counts, strict=True))), total + point.sum)
        if sums:
            points = [(dict(key), counts, total) for key, (counts, total) in sums.items()]
            yield Histograms(name, text, snapshot.metric.buckets, points)


def _row(metric: Metric, values: LabelValues) -> Row:
    if values is OVERFLOW or len(values) != len(metric.labels):
        return {}
    return {label.name: value for label, value in zip(metric.labels, values, strict=True)}


def _aliases() -> dict[str, str]:
    """Name of a database -> its alias, the first of two that share it."""
    found: dict[str, str] = {}
    for alias in connections:
        with suppress(Exception):  # a driver that is not installed: its queries are nobody's
            found.setdefault(target_of(connections[alias]).namespace, alias)
    return found


def _class_name(qualified: str) -> str:
    return qualified.rpartition(".")[2]
