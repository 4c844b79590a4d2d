"""C4: who may see ``/metrics``, how often it is rendered, and that it is never traced."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request

import pytest
from django.test import Client
from opentelemetry.metrics import get_meter
from prometheus_client import REGISTRY

from otelkit import metrics, startup
from otelkit.catalog.metrics import HTTP_SERVER_REQUEST_DURATION, SERIES_OVERFLOWED
from otelkit.config import load
from otelkit.metrics import access, pull
from otelkit.metrics.access import is_admitted
from otelkit.status import status
from otelkit.testing import capture
from tests.backends import free_port

TOKEN = "correct horse battery staple"


def pulling(**more: object) -> dict[str, object]:
    return {"metrics": {"exporters": ["prometheus"], **more}, "service": {"name": "orders"}}


@pytest.mark.parametrize(
    ("headers", "status_code"),
    [
        ({"authorization": f"Bearer {TOKEN}"}, 200),
        ({"authorization": f"bearer  {TOKEN}"}, 200),
        ({"authorization": f"Bearer {TOKEN}x"}, 404),
        ({"authorization": f"Basic {TOKEN}"}, 404),
        ({"authorization": "Bearer"}, 404),
        ({"authorization": "Bearer ä\udc80"}, 404),
        ({}, 404),
    ],
)
def test_with_a_token_only_who_sends_it_sees_the_page(headers, status_code):
    """C4: 404 for strangers, from this machine too."""
    with capture(pulling(token=TOKEN)):
        answer = Client().get("/metrics", headers=headers)
    assert answer.status_code == status_code
    assert (b"process_cpu_time" in answer.content) is (status_code == 200)


@pytest.mark.parametrize(
    ("peer", "header", "status_code"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("", {}, 200),
        ("10.0.0.7", {}, 404),
        ("not an address", {}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}, 404),
    ],
)
def test_without_a_token_only_this_machine_sees_it(peer, header, status_code):
    """C4: what came through a proxy came from somebody else."""
    with capture(pulling()):
        assert Client(REMOTE_ADDR=peer).get("/metrics", headers=header).status_code == status_code


def test_a_stranger_sees_what_any_unknown_path_answers():
    """C4: not even that it exists."""
    with capture(pulling(token=TOKEN)):
        assert Client().get("/metrics").content.replace(b"/metrics", b"") == Client().get("/nothing").content.replace(b"/nothing", b"")


def test_while_metrics_are_not_pulled_the_view_is_not_there():
    assert Client().get("/metrics").status_code == 404
    with capture():
        assert Client().get("/metrics").status_code == 404


def test_the_token_is_compared_in_constant_time(monkeypatch):
    """C4: by hmac.compare_digest, whatever was sent."""
    compared = []
    monkeypatch.setattr(access, "compare_digest", lambda one, other: compared.append((one, other)) or False)
    assert not is_admitted(TOKEN, "Bearer x", "127.0.0.1", is_forwarded=False)
    assert compared == [(b"x", TOKEN.encode())]


def test_the_page_is_rendered_at_most_once_a_second(monkeypatch):
    """C4: an open door must not multiply what rendering costs."""
    clock = [100.0]
    monkeypatch.setattr(pull, "monotonic", lambda: clock[0])
    with capture(pulling()) as telemetry:
        rendered = []
        collect = telemetry.runtime.pull._collector.collect
        monkeypatch.setattr(telemetry.runtime.pull._collector, "collect", lambda: rendered.append(1) or collect())
        pages = {Client().get("/metrics").content for _ in range(20)}
        assert (len(pages), len(rendered)) == (1, 1)
        Client().get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
        assert len(rendered) == 2, "another format is another page"
        clock[0] += 1.0
        Client().get("/metrics")
        assert len(rendered) == 3


def test_it_is_never_traced():
    """C4."""
    with capture({"metrics": {"exporters": ["prometheus", "otlp"]}}) as telemetry:
        assert Client().get("/metrics").status_code == 200
        assert telemetry.spans == []
        assert "http.server.request.duration" not in telemetry.metrics


def test_a_port_of_its_own_serves_it_on_this_machine_alone():
    """C4."""
    port = free_port()
    with capture(pulling(port=port, token=TOKEN)) as telemetry:
        asked = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(asked, timeout=10) as answer:
            assert answer.status == 200
            assert b"process_cpu_time_seconds_total" in answer.read()
        for path, headers in (("/metrics", {}), ("/", {"Authorization": f"Bearer {TOKEN}"})):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers), timeout=10)
            assert refused.value.code == 404
            refused.value.close()
        assert telemetry.runtime.pull._port._server.server_address[0] == "127.0.0.1"
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "stop() closes it"


def test_a_port_that_is_taken_is_said_and_nothing_else_suffers(caplog):
    """E5; of several workers one has the port."""
    caplog.set_level("INFO")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with capture(pulling(port=port)):
            assert Client().get("/metrics").status_code == 200
    assert f"This worker does not serve metrics at 127.0.0.1:{port}" in caplog.text


def test_ten_thousand_label_sets_do_not_grow_the_page():
    """A11: by every way in: a request's route, a business metric, and an instrument of OpenTelemetry."""
    visits = metrics.counter("business.tests.pull_visits", unit="{visit}", help="Visits.", labels={"campaign": ()})
    sold = get_meter("tests.pull").create_counter("tests.pull.sold")
    with capture({**pulling(series_cap=50), "logs": {"access": False}}) as telemetry:
        duration = telemetry.runtime.aggregator.histogram(HTTP_SERVER_REQUEST_DURATION)
        for number in range(10_000):
            duration.record(0.1, ("GET", f"/{number}", 200, "http", None))
            visits.add(1, campaign=str(number))
            sold.add(1, {"order": number})
        page = Client().get("/metrics").content.decode().splitlines()
        again = telemetry.runtime.aggregator.collect()
    for series in ("http_server_request_duration_seconds_count", "business_tests_pull_visits_total", "tests_pull_sold_total"):
        lines = [line for line in page if line.startswith(series + "{")]
        assert len(lines) == 51, series
        assert [line[-7:] for line in lines if 'otel_metric_overflow="true"' in line] == [" 9950.0"]
    overflowed = next(found for found in again if found.metric is SERIES_OVERFLOWED).numbers
    assert {point.labels[0] for point in overflowed} == {"http.server.request.duration", "business.tests.pull_visits", "tests.pull.sold"}


def test_status_does_not_show_the_token(monkeypatch):
    """C1."""
    monkeypatch.setenv("OTELKIT_METRICS_TOKEN", TOKEN)
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "prometheus")
    assert TOKEN not in str(status())
    assert "metrics.token                [REDACTED]" in str(status())


def test_stop_leaves_the_registry_and_the_view_as_they_were():
    """A26."""
    before = list(REGISTRY._collector_to_names)
    with capture(pulling()):
        assert list(REGISTRY._collector_to_names) != before
    assert list(REGISTRY._collector_to_names) == before
    assert pull._serving is None


def test_a_folder_is_shared_by_the_variable_that_prometheus_client_knows(tmp_path):
    config = load({}, {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "OTEL_METRICS_EXPORTER": "prometheus"})
    assert config.metrics.shared_folder == str(tmp_path)
    runtime = startup.start(config)
    assert runtime is not None
    startup.stop()
    assert [path.name for path in tmp_path.glob("*.json")] != [], "the last word of a worker stays for the others"
