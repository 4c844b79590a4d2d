"""Each check beside its silent twin: what it finds, in which words, and the setting that makes it say nothing."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import NamedTuple

import pytest
from opentelemetry.sdk import environment_variables

from otelkit.catalog.metrics import Kind
from otelkit.checks import CHECKS
from otelkit.config import declared, variables
from otelkit.libraries import LIBRARIES
from otelkit.metrics.declaring import declared_metric
from otelkit.settings_field import declaration
from otelkit.startup import MIDDLEWARE
from tests.instrumentation.checks.looking import Site

COMMON = "django.middleware.common.CommonMiddleware"
UPSTREAM = "opentelemetry.instrumentation.django.middleware.otel_middleware._DjangoMiddleware"
PULL = {"exporters": ["prometheus"]}
ASGI = "tests.project.asgi.application"


class Case(NamedTuple):
    """``site`` has the finding, which says ``says`` and offers ``hint``; ``twin`` does not have it."""

    id: str
    site: Site
    says: str
    hint: str
    twin: Site


def endpoint(address: str, **more: str) -> Site:
    return Site(environ={"OTEL_EXPORTER_OTLP_ENDPOINT": address, **more})


CASES = [
    # --- what the settings amount to ---
    Case("W001", Site(is_named=False), 'telemetry calls it "project", after ROOT_URLCONF', "OTEL_SERVICE_NAME", Site()),
    Case(
        "W001",
        Site(is_named=False, otelkit={"preset": "development"}, django={"ROOT_URLCONF": "config.urls"}),
        'telemetry calls it "unknown_service"',
        "OTEL_SERVICE_NAME",
        Site(is_named=False, otelkit={"preset": "development"}),
    ),
    Case(
        "W002",
        Site(environ={"OTELKIT_PRESET": "production"}, django={"DEBUG": True}),
        'DEBUG is True, but OTELKIT_PRESET is "production"',
        "DEBUG = False",
        Site(django={"DEBUG": True}),
    ),
    Case(
        "W003",
        Site(otelkit={name: {"exporters": []} for name in ("traces", "metrics", "logs")}),
        "Nothing leaves this process",
        "OTELKIT_ENABLED=false",
        Site(otelkit={"preset": "test"}),
    ),
    Case(
        "W004",
        Site(environ={"OTEL_TRACES_SAMPLER_ARG": "0"}),
        "OTEL_TRACES_SAMPLER_ARG is 0, so no trace begins here",
        "a ratio above 0",
        Site(environ={"OTEL_TRACES_SAMPLER_ARG": "0.001"}),
    ),
    Case(
        "W005",
        Site(otelkit={"requests": {"excluded_paths": ["/"]}}),
        'OTELKIT["requests"]["excluded_paths"] holds "/"',
        "Name the paths",
        Site(otelkit={"requests": {"excluded_paths": ["/livez"]}}),
    ),
    # --- variables ---
    Case(
        "W010",
        Site(environ={"OTEL_SERVICENAME": "shop"}),
        "OTEL_SERVICENAME is set, but changes nothing here",
        "did you mean OTEL_SERVICE_NAME?",
        Site(environ={"OTEL_PYTHON_EXCLUDED_URLS": "livez"}),
    ),
    Case(
        "W010",
        Site(environ={"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta"}),
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE is set, but changes nothing here",
        "cumulativetodelta",
        Site(environ={"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "cumulative"}),
    ),
    # --- addresses ---
    Case(
        "W020",
        endpoint("http://collector:4317"),
        "OTEL_EXPORTER_OTLP_ENDPOINT is http://collector:4317, but 4317 is the port of OTLP over gRPC",
        "http://collector:4318",
        endpoint("http://collector:4318"),
    ),
    Case(
        "W020",
        endpoint("http://collector:4318", OTEL_EXPORTER_OTLP_LOGS_ENDPOINT="http://l:4317/v1/logs", OTEL_LOGS_EXPORTER="otlp"),
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT is http://l:4317/v1/logs",
        "http://l:4318/v1/logs",
        endpoint("http://collector:4318", OTEL_EXPORTER_OTLP_LOGS_ENDPOINT="http://l:4317/v1/logs"),  # nothing is sent there
    ),
    Case(
        "W021",
        endpoint("http://collector:4318/v1/traces"),
        "telemetry goes to http://collector:4318/v1/traces/v1/traces",
        "Take the path away: http://collector:4318",
        endpoint("http://collector:4318/otlp"),
    ),
    Case(
        "W022",
        Site(environ={"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318"}),
        "is used as it is: traces are posted to /.",
        "http://collector:4318/v1/traces",
        Site(environ={"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}),
    ),
    Case(
        "W022",
        Site(environ={"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://collector:4318/v1/traces"}),
        "metrics are posted to /v1/traces",
        "http://collector:4318/v1/metrics",
        Site(environ={"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://prometheus:9090/api/v1/otlp/v1/metrics"}),
    ),
    # --- middlewares ---
    Case(
        "E002",
        Site(django={"MIDDLEWARE": [MIDDLEWARE, COMMON, MIDDLEWARE]}),
        f'"{MIDDLEWARE}" is 2 times in MIDDLEWARE',
        "Take it out",
        Site(django={"MIDDLEWARE": [MIDDLEWARE, COMMON]}),
    ),
    Case(
        "E003",
        Site(django={"MIDDLEWARE": [COMMON, MIDDLEWARE]}),
        f"in place 2 of MIDDLEWARE, below {COMMON}",
        "first place",
        Site(django={"MIDDLEWARE": [MIDDLEWARE, COMMON]}),
    ),
    Case(
        "W030",
        Site(django={"MIDDLEWARE": [COMMON, "tests.instrumentation.middlewares.breaks"], "ASGI_APPLICATION": ASGI}),
        "changes to a thread and back for tests.instrumentation.middlewares.breaks in MIDDLEWARE",
        "async_capable = True",
        Site(django={"MIDDLEWARE": [COMMON, "tests.instrumentation.middlewares.breaks"]}),
    ),
    Case(
        "W031",
        Site(environ={"DJANGO_ALLOW_ASYNC_UNSAFE": "1"}, django={"ASGI_APPLICATION": ASGI}),
        "stops the event loop",
        "async ORM",
        Site(environ={"DJANGO_ALLOW_ASYNC_UNSAFE": "1"}),
    ),
    # --- other packages ---
    Case(
        "W040",
        Site(django={"MIDDLEWARE": ["elasticapm.contrib.django.middleware.TracingMiddleware", COMMON]}),
        "elastic-apm is active as well as otelkit",
        'ELASTIC_APM = {"ENABLED": False}',
        Site(
            django={"MIDDLEWARE": ["elasticapm.contrib.django.middleware.TracingMiddleware", COMMON], "ELASTIC_APM": {"ENABLED": False}},
        ),
    ),
    Case(
        "W045",
        Site(django={"MIDDLEWARE": ["django_prometheus.middleware.PrometheusBeforeMiddleware", COMMON]}),
        "counts as well (MIDDLEWARE: django_prometheus.middleware.PrometheusBeforeMiddleware).",
        'set OTELKIT["metrics"]["django_prometheus"] to "emulate"',
        Site(otelkit={"metrics": {"django_prometheus": "emulate"}}),
    ),
    Case(
        "W045",
        Site(otelkit={"metrics": {"django_prometheus": "emulate"}}, django={"CACHES": {"a": {"BACKEND": "django_prometheus.cache.a"}}}),
        '"emulate", which does nothing beside it',
        "PROMETHEUS_EXPORT_MIGRATIONS = False",
        Site(django={"CACHES": {"a": {"BACKEND": "django_prometheus_twin.cache"}}}),
    ),
    # --- metrics ---
    Case(
        "W060",
        Site(otelkit={"metrics": {**PULL, "token": "t"}}, django={"ROOT_URLCONF": "tests.project.rest"}),
        "no route leads to the view otelkit.metrics.pull.metrics",
        'path("metrics", otelkit.metrics.pull.metrics)',
        Site(otelkit={"metrics": {**PULL, "port": 9464}}, django={"ROOT_URLCONF": "tests.project.rest"}),
    ),
    Case(
        "W061",
        Site(otelkit={"metrics": {**PULL, "token": "t"}, "requests": {"excluded_paths": ["/livez"]}}),
        "Each scrape of /metrics makes a trace",
        'Add "/metrics" to OTELKIT["requests"]["excluded_paths"]',
        Site(otelkit={"metrics": {**PULL, "token": "t"}}),
    ),
    Case(
        "W062",
        Site(otelkit={"metrics": PULL}),
        "/metrics answers 404 to every scraper that is not on this machine",
        "OTELKIT_METRICS_TOKEN",
        Site(otelkit={"metrics": PULL, "preset": "development"}),
    ),
    Case(
        "W063",
        Site(otelkit={"metrics": {**PULL, "token": "s3cr3t\n"}}),
        'OTELKIT["metrics"]["token"] has white space at an end',
        ".strip()",
        Site(otelkit={"metrics": {**PULL, "token": "s3cr3t"}}),
    ),
    Case(
        "W064",
        Site(otelkit={"metrics": {"series_cap": 10}}),
        'OTELKIT["metrics"]["series_cap"] is 10, and the project has',
        "or more",
        Site(otelkit={"metrics": {"series_cap": 500}}),
    ),
    Case(
        "W065",
        Site(environ={"OTELKIT_METRICS_PORT": "9464"}),
        "OTELKIT_METRICS_PORT is set, but",
        "OTELKIT_PRESET=pull",
        Site(environ={"OTELKIT_METRICS_PORT": "9464", "OTELKIT_PRESET": "pull"}),
    ),
    # --- proxies ---
    Case(
        "W070",
        Site(otelkit={"requests": {"client_address": "hashed"}}, django={"USE_X_FORWARDED_HOST": True}),
        "USE_X_FORWARDED_HOST says that a proxy stands in front",
        'OTELKIT["requests"]["proxies"]',
        Site(otelkit={"requests": {"client_address": "hashed", "proxies": 1}}, django={"USE_X_FORWARDED_HOST": True}),
    ),
    Case(
        "W071",
        Site(
            environ={"OTELKIT_REQUESTS_TRUST_INCOMING": "networks"}, django={"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")}
        ),
        'OTELKIT_REQUESTS_TRUST_INCOMING is "networks", but SECURE_PROXY_SSL_HEADER says',
        "OTELKIT_REQUESTS_TRUST_INCOMING=never",
        Site(environ={"OTELKIT_REQUESTS_TRUST_INCOMING": "networks"}),
    ),
    Case(
        "W072",
        Site(otelkit={"requests": {"proxies": 1}}, django={"SESSION_COOKIE_SECURE": True}),
        "SESSION_COOKIE_SECURE says that the site is served over https",
        "SECURE_PROXY_SSL_HEADER",
        Site(
            otelkit={"requests": {"proxies": 1}},
            django={"SESSION_COOKIE_SECURE": True, "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")},
        ),
    ),
    # --- outbox and inbox ---
    Case(
        "W091",
        Site(environ={"OTELKIT_EVENTS_BROKER": "memory://"}),
        "OTELKIT_EVENTS_BROKER is memory://, which no other process reaches",
        "amqp://",
        Site(environ={"OTELKIT_EVENTS_BROKER": "redis://cache/0"}),
    ),
]
TESTED_ELSEWHERE = {
    "E001",
    "E004",
    "E005",
    "E006",
    "E007",
    "W041",
    "W042",
    "W050",
    "W051",
    "W052",
    "W053",
    "W054",
    "W055",
    "W066",
    "W080",
    "W081",
    "W090",
    "W099",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_check_names_the_thing_and_the_way_on_and_its_twin_is_silent(case):
    """E4."""
    (finding,) = [found for found in case.site.found() if found[0] == case.id]
    assert case.says in finding[1]
    assert case.hint in finding[2]
    assert case.id not in [found[0] for found in case.twin.found()]


def test_every_check_has_a_test():
    assert {case.id for case in CASES} | TESTED_ELSEWHERE == {check.id for check in CHECKS}


def test_a_project_without_faults_hears_nothing():
    assert Site().found() == []


def test_an_address_with_a_password_is_shown_without():
    """C1."""
    found = str(endpoint("http://ann:s3cr3t@collector:4317/v1/traces").found())
    assert "W020" in found
    assert "W021" in found
    assert "s3cr3t" not in found


def test_no_variable_of_opentelemetry_passes_for_a_slip_of_the_finger():
    """W010 knows words that look alike; those that OpenTelemetry really has are none of its business."""
    real = [name for name in vars(environment_variables) if name.startswith("OTEL_")]
    assert len(real) > 50
    found = variables.without_effect(dict.fromkeys(real, "1"), {name for _, _, item in declared() if (name := declaration(item).env)})
    assert [name for name, instead in found.items() if "did you mean" in instead] == []


def test_the_engine_that_the_settings_ask_for_has_to_be_installed(monkeypatch):
    site = Site(environ={"OTELKIT_REQUESTS_ENGINE": "upstream"})
    assert site.found() == []
    monkeypatch.setattr("otelkit.checks.packages.is_installed", lambda name: False)
    ((id_, message, hint),) = site.found()
    assert id_ == "E004"
    assert message == 'OTELKIT_REQUESTS_ENGINE is "upstream", but opentelemetry-instrumentation-django is not installed.'
    assert "pip install 'otelkit[upstream]'" in hint


def test_what_the_broker_needs_has_to_be_installed(monkeypatch):
    site = Site(otelkit={"events": {"broker": "redis://ann:s3cr3t@cache/0"}})
    assert site.found() == []
    monkeypatch.setattr("otelkit.checks.events.is_installed", lambda name: name != "redis")
    ((id_, message, hint),) = site.found()
    assert (id_, message) == ("W090", 'OTELKIT["events"]["broker"] is an address of redis://, but redis is not installed.')
    assert "pip install redis" in hint
    assert Site().found() == [], "who has no broker needs nothing"


def test_a_library_has_to_be_installed_where_the_project_asks_for_it(monkeypatch):
    asked = Site(otelkit={"libraries": {"required": ["httpx"]}})
    assert asked.found() == []
    monkeypatch.setattr(type(LIBRARIES[0]), "is_installed", lambda self: False)
    ((id_, message, hint),) = asked.found()
    assert id_ == "E005"
    assert message == '"httpx" is in OTELKIT["libraries"]["required"], but it is not installed.'
    assert "pip install httpx" in hint
    assert Site().found() == [], "what nobody asked for is followed where it is installed"


def test_a_library_is_followed_once():
    """A4: the real package; installed alone it does nothing."""
    pytest.importorskip("opentelemetry.instrumentation.requests", reason="opentelemetry-instrumentation-requests is not installed")
    from opentelemetry.instrumentation.requests import RequestsInstrumentor

    assert Site().found() == []
    RequestsInstrumentor().instrument()
    try:
        ((id_, message, hint),) = Site().found()
        assert id_ == "W041"
        assert message == "opentelemetry-instrumentation-requests is active, and otelkit follows requests as well."
        assert "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=requests" in hint
        assert Site(otelkit={"libraries": {"disabled": ["requests"]}}).found() == []
    finally:
        RequestsInstrumentor().uninstrument()


def test_a_library_that_is_too_old_is_named(monkeypatch):
    monkeypatch.setattr("otelkit.checks.packages.version", lambda package: "4.6.0" if package == "redis" else "99")
    ((id_, message, hint),) = Site().found()
    assert id_ == "W042"
    assert message == "redis 4.6.0 is installed, and otelkit follows it from 5 on."
    assert "pip install 'redis>=5'" in hint
    assert Site(otelkit={"libraries": {"disabled": ["redis"]}}).found() == []
    monkeypatch.setattr("otelkit.checks.packages.version", lambda package: "5.0rc1" if package == "redis" else "99")
    assert Site().found() == []


@pytest.mark.parametrize("label", ["order_id", "id", "customer", "user_email", "last_page_path", "url"])
def test_a_label_with_a_value_for_each_order_is_named(monkeypatch, label):
    """A11: before it fills the cap."""
    shop = declared_metric("business.parcels", Kind.COUNTER, "{parcel}", "Parcels.", {label: ()})
    monkeypatch.setattr("otelkit.checks.labels.declared", lambda: (shop,))
    ((id_, message, hint),) = Site().found()
    assert id_ == "W066"
    assert message.startswith(f"business.parcels has the label {label} with any value: each is a series of its own, and from 2000 on")
    assert f'labels={{"{label}": ("one", "another")}}' in hint


@pytest.mark.parametrize("labels", [{"customer": ("private", "firm")}, {"channel": ()}, {"paid": ()}, {"kidney": ()}, {}])
def test_a_label_of_few_values_is_nobodys_mistake(monkeypatch, labels):
    shop = declared_metric("business.parcels", Kind.COUNTER, "{parcel}", "Parcels.", labels)
    monkeypatch.setattr("otelkit.checks.labels.declared", lambda: (shop,))
    assert Site().found() == []


def test_a_library_cannot_be_required_and_disabled():
    ((id_, message, _),) = Site(otelkit={"libraries": {"required": ["httpx"], "disabled": ["httpx"]}}).found()
    assert id_ == "E007"
    assert message == '"httpx" is in OTELKIT["libraries"]["required"] and in OTELKIT["libraries"]["disabled"].'


def test_the_folder_that_workers_share_has_to_be_one(tmp_path):
    (tmp_path / "file").write_text("")
    for folder, complaint in ((tmp_path / "file", "is not a folder"), (tmp_path / "file" / "below", "cannot be made")):
        site = Site(otelkit={"metrics": {**PULL, "token": "t"}}, environ={"PROMETHEUS_MULTIPROC_DIR": str(folder)})
        ((id_, message, hint),) = site.found()
        assert id_ == "E006"
        assert message.startswith(f"PROMETHEUS_MULTIPROC_DIR is '{folder}', which ")
        assert complaint in message
        assert f"mkdir -p {folder}" in hint
    for folder in (tmp_path, tmp_path / "is" / "made"):
        assert Site(otelkit={"metrics": {**PULL, "token": "t"}}, environ={"PROMETHEUS_MULTIPROC_DIR": str(folder)}).found() == []


def test_prometheus_client_needs_its_folder_even_where_we_serve_nothing(tmp_path):
    ((id_, message, _),) = Site(environ={"PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "absent")}).found()
    assert id_ == "E006"
    assert "FileNotFoundError" in message
    assert Site(otelkit={"metrics": {"shared_folder": str(tmp_path / "absent")}}).found() == [], "a setting of ours that nobody uses"


@pytest.mark.parametrize("engine", ["otelkit", "upstream"])
def test_upstreams_instrumentation_stands_down_by_itself_and_is_nobodys_mistake(engine):
    """A4: whether it came before the kit or after it."""
    assert Site(django={"MIDDLEWARE": [UPSTREAM, COMMON]}, environ={"OTELKIT_REQUESTS_ENGINE": engine}).found() == []


@pytest.mark.parametrize(("options", "traces"), [({"traces_sample_rate": 0.1}, True), ({"traces_sampler": max}, True), ({}, False)])
def test_sentry_is_a_second_tracer_only_with_tracing(monkeypatch, options, traces):
    """The package is not installed here; its client is asked as sentry-sdk 2.75 answers."""
    sentry = ModuleType("sentry_sdk")
    vars(sentry)["get_client"] = lambda: SimpleNamespace(options={"traces_sample_rate": None, "traces_sampler": None, **options})
    monkeypatch.setitem(sys.modules, "sentry_sdk", sentry)
    assert [found[0] for found in Site().found()] == (["W040"] if traces else [])


@pytest.mark.parametrize(("patched", "enabled", "traces"), [(True, True, True), (True, False, False), (False, True, False)])
def test_datadog_is_a_second_tracer_where_it_has_patched_django(monkeypatch, patched, enabled, traces):
    """The package is not installed here; it leaves the marks that ddtrace 4.16 leaves."""
    import django

    datadog = ModuleType("ddtrace.trace")
    vars(datadog)["tracer"] = SimpleNamespace(enabled=enabled)
    monkeypatch.setitem(sys.modules, "ddtrace.trace", datadog)
    monkeypatch.setattr(django, "_datadog_patch", patched, raising=False)
    assert [found[0] for found in Site().found()] == (["W040"] if traces else [])
