"""What the checks say of a project with Celery."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery, signals
from opentelemetry.instrumentation.celery import CeleryInstrumentor

from tests.instrumentation.checks.looking import Site

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"file": {"class": "logging.NullHandler"}},
    "root": {"handlers": ["file"]},
}
OFF = {"libraries": {"disabled": ["celery"]}}


@pytest.fixture
def app() -> Iterator[Celery]:
    """The app of the project."""
    from celery import current_app

    before = current_app._get_current_object()
    app = Celery("checked")
    app.set_current()
    yield app
    before.set_current()
    app.close()


@pytest.fixture
def upstream() -> Iterator[Any]:
    instrumentor: Any = CeleryInstrumentor()
    instrumentor.instrument()
    yield instrumentor
    instrumentor.uninstrument()


def ids(site: Site) -> set[str]:
    return {id_ for id_, _, _ in site.found()}


def test_tasks_that_nobody_follows_are_named():
    """E4."""
    (finding,) = [found for found in Site(otelkit=OFF).found() if found[0] == "W080"]
    assert finding[1].startswith('The project uses Celery, but "celery" is in OTELKIT["libraries"]["disabled"]')
    assert "W080" not in ids(Site())


def test_tasks_that_two_follow_are_named(upstream):
    """A4."""
    (finding,) = [found for found in Site().found() if found[0] == "W041"]
    assert finding[1].startswith("opentelemetry-instrumentation-celery is active, and otelkit follows celery")
    assert not {"W080", "W041"} & ids(Site(otelkit=OFF)), "upstream's alone is a choice"
    upstream.uninstrument()
    assert "W041" not in ids(Site())
    upstream.instrument()


def test_handlers_that_a_worker_throws_out_are_named(app):
    """A21."""
    site = Site(django={"LOGGING": LOGGING})
    (finding,) = [found for found in site.found() if found[0] == "W081"]
    assert "off the root logger: file" in finding[1]
    assert "CELERY_WORKER_HIJACK_ROOT_LOGGER" in finding[2]
    assert "W081" not in ids(Site())
    app.conf.worker_hijack_root_logger = False
    assert "W081" not in ids(site)


def test_a_project_that_configures_logging_for_celery_itself_hears_nothing_of_it(app):
    def configure(**_: Any) -> None:
        """Whatever the project does."""

    signals.setup_logging.connect(configure)
    try:
        assert "W081" not in ids(Site(django={"LOGGING": LOGGING}))
    finally:
        signals.setup_logging.disconnect(configure)
