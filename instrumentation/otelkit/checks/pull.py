"""Checks of metrics that are scraped, and of the room that series have."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from otelkit.checks.check import Finding, Project, check
from otelkit.checks.views import fixed_paths_of_metrics, paths_of_metrics, routes

_SETS_PER_ROUTE = 2
"""An answer that is well and one that is not: the least that a route in use has."""


def _is_on(project: Project) -> bool:
    return "prometheus" in project.config.metrics.exporters


@check("E006")
def shared_folder_cannot_be_used(project: Project) -> Iterator[Finding]:
    """The folder in which workers share their metrics cannot be written in, or is none.
    Each worker then shows its own metrics alone, and prometheus-client fails where it wants to write there."""
    folder = project.config.metrics.shared_folder
    where = project.where("metrics.shared_folder")
    is_prometheus_clients = where == "PROMETHEUS_MULTIPROC_DIR"
    if not folder or not (_is_on(project) or is_prometheus_clients):
        return
    path = Path(folder)
    if path.exists():
        complaint = "" if path.is_dir() and os.access(path, os.W_OK | os.X_OK) else "is not a folder that this user may write in"
    elif not _can_be_made(path):
        complaint = "does not exist, and cannot be made by this user"
    else:  # by us at the start; where only prometheus-client uses it, by nobody
        complaint = "" if _is_on(project) else "does not exist, so prometheus-client will raise FileNotFoundError"
    if complaint:
        yield Finding(
            f"{where} is {folder!r}, which {complaint}.",
            f"Make it in the container or unit that starts the service:  mkdir -p {folder}   and give it to the user of the workers.",
        )


def _can_be_made(path: Path) -> bool:
    above = next((parent for parent in path.absolute().parents if parent.exists()), None)
    return above is not None and above.is_dir() and os.access(above, os.W_OK | os.X_OK)


@check("W060")
def metrics_are_not_routed(project: Project) -> Iterator[Finding]:
    """Metrics are to be scraped, but neither a route leads to their view nor has the kit a port for them."""
    if _is_on(project) and not project.config.metrics.port and paths_of_metrics() == []:
        yield Finding(
            f'{project.where("metrics.exporters")} says "prometheus", but no route leads to the view otelkit.metrics.pull.metrics.',
            'Add path("metrics", otelkit.metrics.pull.metrics) to the URLs, or set OTELKIT_METRICS_PORT.',
        )


@check("W061")
def scrapes_are_traced(project: Project) -> Iterator[Finding]:
    """The view of the metrics stands at a path that requests.excluded_paths does not cover, so each scrape is a request with a trace."""
    if not _is_on(project):
        return
    excluded = project.config.requests.excluded_paths
    for path in fixed_paths_of_metrics():
        if not any(path == known or (known.endswith("/") and path.startswith(known)) for known in excluded):
            yield Finding(
                f"Each scrape of {path} makes a trace and an access line: {project.where('requests.excluded_paths')} does not cover it.",
                f'Add "{path}" to OTELKIT["requests"]["excluded_paths"], beside the paths that are there by default.',
            )


@check("W062")
def only_this_machine_may_scrape(project: Project) -> Iterator[Finding]:
    """The metrics have a route but no token, so a Prometheus on another machine is answered 404. Silent while developing."""
    config = project.config
    is_meant = config.metrics.token or config.metrics.port or config.preset in ("development", "test")
    if _is_on(project) and not is_meant and (paths := paths_of_metrics()):
        yield Finding(
            f"{paths[0]} answers 404 to every scraper that is not on this machine: metrics.token is empty.",
            "Set OTELKIT_METRICS_TOKEN, and let Prometheus send it (authorization: {credentials: ...}); "
            "for a scraper on this machine set OTELKIT_METRICS_PORT.",
        )


@check("W063")
def token_cannot_be_sent(project: Project) -> Iterator[Finding]:
    """The token of /metrics begins or ends with white space, or holds what a header cannot, so that no scraper can send it."""
    token = project.config.metrics.token
    if token and (token != token.strip() or not token.isascii() or not token.isprintable()):
        yield Finding(
            f"{project.where('metrics.token')} has white space at an end, or characters that a header cannot hold: no scraper can send it.",
            "Read it from its file with .strip(), and take letters and digits; OTELKIT_METRICS_TOKEN is stripped anyway.",
        )


@check("W064")
def series_cap_is_low(project: Project) -> Iterator[Finding]:
    """The project has more routes than metrics.series_cap has room for, so that some of them end in the overflow series."""
    if not project.config.metrics.exporters:
        return
    cap, number = project.config.metrics.series_cap, len({route for route, _ in routes() or ()})
    if number * _SETS_PER_ROUTE > cap:
        yield Finding(
            f"{project.where('metrics.series_cap')} is {cap}, and the project has {number} routes, "
            "each with a series for what went well and for what did not: some will end in the overflow series.",
            f'Set OTELKIT["metrics"]["series_cap"] to {number * 4} or more.',
        )


@check("W065")
def pull_settings_without_pull(project: Project) -> Iterator[Finding]:
    """A token or a port for /metrics is set, but metrics are not served there."""
    config = project.config.metrics
    set_in_vain = [name for name in ("token", "port") if getattr(config, name) and project.is_chosen(f"metrics.{name}")]
    if set_in_vain and not _is_on(project):
        yield Finding(
            f"{' and '.join(project.where(f'metrics.{name}') for name in set_in_vain)} "
            f'is set, but {project.where("metrics.exporters")} does not say "prometheus": nothing serves /metrics.',
            'Set OTELKIT_PRESET=pull, or OTEL_METRICS_EXPORTER=prometheus (with "otlp" too, if both are wanted).',
        )


CHECKS = (
    shared_folder_cannot_be_used,
    metrics_are_not_routed,
    scrapes_are_traced,
    only_this_machine_may_scrape,
    token_cannot_be_sent,
    series_cap_is_low,
    pull_settings_without_pull,
)
