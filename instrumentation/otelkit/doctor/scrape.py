"""Reads ``/metrics`` as a scraper on this machine would: by its route through the whole project, and by its port."""

from __future__ import annotations

from collections.abc import Iterator

import urllib3

from otelkit.catalog.metrics import HTTP_SERVER_REQUEST_DURATION, TELEMETRY_CREATED, Metric
from otelkit.catalog.naming import series_name
from otelkit.checks.views import fixed_paths_of_metrics
from otelkit.doctor.asking import ask
from otelkit.doctor.examination import Examination
from otelkit.doctor.hop import Hop, Outcome
from otelkit.metrics.port import HOST


def scrape(examination: Examination) -> Iterator[Hop]:
    """Each place at which the page is served."""
    config = examination.config.metrics
    if "prometheus" not in config.exporters:
        yield Hop("scrape", Outcome.SKIP, "metrics are not served for scraping")
        return
    headers = {"authorization": f"Bearer {config.token}"} if config.token else {}
    paths = fixed_paths_of_metrics()
    for path in paths:
        yield _by_route(examination, path, headers)
    if config.port:
        yield _by_port(examination, config.port, headers)
    elif not paths:
        yield Hop(
            "scrape",
            Outcome.FAIL,
            "no route leads to the view otelkit.metrics.pull.metrics",
            'Add path("metrics", otelkit.metrics.pull.metrics) to the URLs, or set OTELKIT_METRICS_PORT.',
        )


def _by_route(examination: Examination, path: str, headers: dict[str, str]) -> Hop:
    try:
        response = ask(path, headers)
    except Exception as error:  # noqa: BLE001  (whatever the project's middleware raises is the finding)
        return Hop("scrape", Outcome.FAIL, f"GET {path} raised {type(error).__name__}: {error}", "The project's middleware fails.")
    location = response.headers.get("Location", "")
    body = getattr(response, "content", b"")
    return _judged(examination, f"GET {path}", response.status_code, body, location, HTTP_SERVER_REQUEST_DURATION)


def _by_port(examination: Examination, port: int, headers: dict[str, str]) -> Hop:
    address = f"http://{HOST}:{port}/metrics"
    try:
        answer = urllib3.PoolManager(retries=False).request("GET", address, headers=headers, timeout=examination.timeout, redirect=False)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        detail = f"{address} does not answer ({type(error).__name__})"
        return Hop(
            "scrape", Outcome.FAIL, detail, f"Another program has the port: set {examination.project.where('metrics.port')} to a free one."
        )
    # The service itself may run and have the port: its page does not show our request, nor any while nobody asked it anything.
    return _judged(examination, f"GET {address}", answer.status, answer.data, answer.headers.get("Location", ""), TELEMETRY_CREATED)


def _judged(examination: Examination, what: str, status: int, body: bytes, location: str, metric: Metric) -> Hop:
    name, project = series_name(metric), examination.project
    if status == 200 and name.encode() in body:
        return Hop("scrape", Outcome.PASS, f"{what} shows {name}")
    if status == 200:
        return Hop("scrape", Outcome.FAIL, f"{what} does not show {name}", "Is another program, or another registry, served there?")
    said = f"{what} was answered {status}" + (f", a redirect to {location}" if location else "")
    if status == 404 and project.config.metrics.token:
        return Hop(
            "scrape",
            Outcome.FAIL,
            f"{said}, although it sent the token of {project.where('metrics.token')}",
            "Give service and scraper the same token, without white space at its ends; a service that runs keeps the one it began with.",
        )
    if status in (301, 302, 303, 307, 308, 401, 403):
        return Hop(
            "scrape",
            Outcome.FAIL,
            said,
            "A middleware asks scrapers to log in: let it pass this path, or serve the page on a port of its own (OTELKIT_METRICS_PORT).",
        )
    return Hop("scrape", Outcome.FAIL, said, "Another view or middleware answers there: put the route of the metrics before it.")
