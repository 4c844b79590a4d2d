"""``requests.engine = "upstream"``: OpenTelemetry's own instrumentation, through our exporter, and out again without a trace.

In a process of its own: upstream reads its choice of names once, and keeps its state on a class.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings

from otelkit import startup
from otelkit.config import load
from otelkit.errors import ConfigError
from otelkit.request import upstream
from otelkit.testing import MemorySender

PROGRAM = """
import json, os, re, sys
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from otelkit.testing import capture

call_command("migrate", run_syncdb=True, verbosity=0)
before, environment = list(settings.MIDDLEWARE), dict(os.environ)
told = {"rounds": []}
for _ in range(2):
    with capture({"requests": {"engine": "upstream"}}) as telemetry:
        during = list(settings.MIDDLEWARE)
        client = Client(raise_request_exception=False)
        paths = ("/items/7", "/boom", "/queries/1", "/livez", "/livez?x=1", "/static/app.css", "/livezoo")
        statuses = [client.get(path).status_code for path in paths]
        told["rounds"].append({
            "during": during,
            "statuses": statuses,
            "spans": telemetry.spans,
            "metrics": telemetry.metrics,
            "notes": telemetry.runtime.notes,
        })
    told["rounds"][-1]["restored"] = settings.MIDDLEWARE == before and dict(os.environ) == environment
    told["rounds"][-1]["off"] = Client(raise_request_exception=False).get("/items/7").status_code
json.dump(told, sys.stdout)
"""


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """What two runs of the kit with upstream's engine recorded, in one process."""
    pytest.importorskip("opentelemetry.instrumentation.django", reason="not installed: pip install 'otelkit[upstream]'")
    database = tmp_path_factory.mktemp("upstream") / "db.sqlite3"
    environment = {**os.environ, "TESTS_DATABASE": str(database), "OTELKIT_LOGS_LEVEL": "ERROR"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout[done.stdout.index('{"rounds"') :])
    return told["rounds"]


def test_upstreams_spans_and_durations_leave_by_our_exporter(rounds):
    for told in rounds:
        (span,) = [
            span for span in told["spans"] if span["attributes"].get("url.path", "").startswith("/items") or "items/" in span["name"]
        ]
        assert span["scope"] == "opentelemetry.instrumentation.django"
        assert span["attributes"]["http.request.method"] == "GET", "the stable names, not the old http.method"
        assert span["attributes"]["http.response.status_code"] == 200
        durations = {point["attributes"].get("http.route"): point for point in told["metrics"]["http.server.request.duration"]}
        assert durations["items/<int:pk>"]["count"] == 1
        assert durations["items/<int:pk>"]["exemplars"][0]["span_id"] == span["span_id"]
        assert durations["boom"]["attributes"]["http.response.status_code"] == 500
        assert [point["value"] for point in told["metrics"]["http.server.active_requests"]] == [0]


def test_our_query_spans_nest_below_upstreams(rounds):
    for told in rounds:
        (server,) = [span for span in told["spans"] if "queries/" in span["name"] and span["kind"] == "SERVER"]
        queries = [span for span in told["spans"] if span["kind"] == "CLIENT"]
        assert queries
        assert {span["parent_span_id"] for span in queries} == {server["span_id"]}


def test_ours_is_not_there_and_what_is_missing_is_said(rounds):
    for told in rounds:
        assert told["during"] == ["opentelemetry.instrumentation.django.middleware.otel_middleware._DjangoMiddleware", *settings.MIDDLEWARE]
        assert not {"django.request.phase.duration", "django.request.db.queries"} & set(told["metrics"])
        assert any("no access line, query counts or phases" in note for note in told["notes"])


def test_excluded_paths_are_excluded_for_upstream_too(rounds):
    """A13, as far as upstream goes."""
    for told in rounds:
        assert told["statuses"] == [200, 500, 200, 200, 200, 200, 404]
        servers = [span["name"] for span in told["spans"] if span["kind"] == "SERVER"]
        assert len(servers) == 4, servers


def test_stop_takes_upstream_out_again(rounds):
    """A26: middleware and environment, and a second start works as the first."""
    assert [told["restored"] for told in rounds] == [True, True]
    assert [told["off"] for told in rounds] == [200, 200]


def test_without_the_package_the_error_names_the_command(monkeypatch):
    monkeypatch.setattr(upstream, "is_installed", lambda package: False)
    before = list(settings.MIDDLEWARE), dict(os.environ)
    with pytest.raises(ConfigError, match=r"(?s)opentelemetry-instrumentation-django is not installed.*pip install 'otelkit\[upstream\]'"):
        startup.start(load({"requests": {"engine": "upstream"}}, {}), sender=MemorySender())
    assert before == (settings.MIDDLEWARE, dict(os.environ))
    assert startup.current() is None


@pytest.mark.parametrize(("before", "during"), [(None, "http"), ("database", "database,http"), ("http/dup", "http/dup")])
def test_the_stable_names_are_asked_for_and_the_environment_restored(monkeypatch, before, during):
    if before is None:
        monkeypatch.delenv("OTEL_SEMCONV_STABILITY_OPT_IN", raising=False)
    else:
        monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", before)
    restore = upstream._ask_for_stable_names()
    assert os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] == during
    restore()
    assert os.environ.get("OTEL_SEMCONV_STABILITY_OPT_IN") == before
