"""OpenTelemetry's environment variables: each one does what its specification says, or somebody is told that it does not."""

from __future__ import annotations

import logging
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from opentelemetry import propagate, trace
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk import environment_variables as of_the_sdk
from opentelemetry.sdk.trace import Span as SdkSpan

from otelkit import startup
from otelkit.config import Export, declared, load
from otelkit.config.variables import SPAN_LIMITS, SWITCH, WITHOUT_EFFECT
from otelkit.errors import ConfigError
from otelkit.export.reasons import reason
from otelkit.export.sender import HttpSender, Verdict
from otelkit.settings_field import declaration
from otelkit.testing import capture
from otelkit.traces.propagators import propagator_of
from tests.receivers import certificate_for, receiver

SPECIFIED = set(
    """
OTEL_SDK_DISABLED OTEL_ENTITIES OTEL_RESOURCE_ATTRIBUTES OTEL_SERVICE_NAME OTEL_LOG_LEVEL OTEL_PROPAGATORS OTEL_TRACES_SAMPLER
OTEL_TRACES_SAMPLER_ARG
OTEL_BSP_SCHEDULE_DELAY OTEL_BSP_EXPORT_TIMEOUT OTEL_BSP_MAX_QUEUE_SIZE OTEL_BSP_MAX_EXPORT_BATCH_SIZE
OTEL_BLRP_SCHEDULE_DELAY OTEL_BLRP_EXPORT_TIMEOUT OTEL_BLRP_MAX_QUEUE_SIZE OTEL_BLRP_MAX_EXPORT_BATCH_SIZE
OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT OTEL_ATTRIBUTE_COUNT_LIMIT
OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT OTEL_SPAN_EVENT_COUNT_LIMIT OTEL_SPAN_LINK_COUNT_LIMIT
OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT OTEL_LINK_ATTRIBUTE_COUNT_LIMIT
OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT
OTEL_EXPORTER_OTLP_ENDPOINT OTEL_EXPORTER_OTLP_TRACES_ENDPOINT OTEL_EXPORTER_OTLP_METRICS_ENDPOINT OTEL_EXPORTER_OTLP_LOGS_ENDPOINT
OTEL_EXPORTER_OTLP_INSECURE OTEL_EXPORTER_OTLP_TRACES_INSECURE OTEL_EXPORTER_OTLP_METRICS_INSECURE OTEL_EXPORTER_OTLP_LOGS_INSECURE
OTEL_EXPORTER_OTLP_SPAN_INSECURE OTEL_EXPORTER_OTLP_METRIC_INSECURE
OTEL_EXPORTER_OTLP_CERTIFICATE OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE
OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE
OTEL_EXPORTER_OTLP_CLIENT_KEY OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY
OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE
OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE
OTEL_EXPORTER_OTLP_HEADERS OTEL_EXPORTER_OTLP_TRACES_HEADERS OTEL_EXPORTER_OTLP_METRICS_HEADERS OTEL_EXPORTER_OTLP_LOGS_HEADERS
OTEL_EXPORTER_OTLP_COMPRESSION OTEL_EXPORTER_OTLP_TRACES_COMPRESSION OTEL_EXPORTER_OTLP_METRICS_COMPRESSION
OTEL_EXPORTER_OTLP_LOGS_COMPRESSION
OTEL_EXPORTER_OTLP_TIMEOUT OTEL_EXPORTER_OTLP_TRACES_TIMEOUT OTEL_EXPORTER_OTLP_METRICS_TIMEOUT OTEL_EXPORTER_OTLP_LOGS_TIMEOUT
OTEL_EXPORTER_OTLP_PROTOCOL OTEL_EXPORTER_OTLP_TRACES_PROTOCOL OTEL_EXPORTER_OTLP_METRICS_PROTOCOL OTEL_EXPORTER_OTLP_LOGS_PROTOCOL
OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION
OTEL_EXPORTER_ZIPKIN_ENDPOINT OTEL_EXPORTER_ZIPKIN_TIMEOUT OTEL_EXPORTER_ZIPKIN_PROTOCOL
OTEL_EXPORTER_PROMETHEUS_HOST OTEL_EXPORTER_PROMETHEUS_PORT
OTEL_TRACES_EXPORTER OTEL_METRICS_EXPORTER OTEL_LOGS_EXPORTER
OTEL_METRICS_EXEMPLAR_FILTER OTEL_METRIC_EXPORT_INTERVAL OTEL_METRIC_EXPORT_TIMEOUT
OTEL_CONFIG_FILE OTEL_EXPERIMENTAL_CONFIG_FILE
""".split()  # noqa: SIM905  (the specification's order, as one reads it)
)
"""Of the specification's pages on SDK variables and on the OTLP exporter."""

HONOURED = {name for _, _, item in declared() if (name := declaration(item).env)} | {*SPAN_LIMITS, SWITCH}


@pytest.mark.parametrize("name", sorted({*SPECIFIED, *(name for name in vars(of_the_sdk) if name.startswith("OTEL_"))}))
def test_no_variable_is_ignored_in_silence(name: str):
    """A23: whoever sets one of them finds it in a setting, or in a warning."""
    assert (name in HONOURED) is not (name in WITHOUT_EFFECT)
    if name in WITHOUT_EFFECT:
        assert load({}, {name: "31337"}).ignored == {name: WITHOUT_EFFECT[name]}


def test_a_variable_without_effect_is_one_warning_with_what_holds_instead(caplog: pytest.LogCaptureFixture):
    environ = {"OTEL_BLRP_MAX_QUEUE_SIZE": "9", "OTEL_EXPORTER_OTLP_INSECURE": "true", "OTEL_SERVICE_NAME": "orders"}
    with caplog.at_level(logging.WARNING, "otelkit"), capture({}, environ):
        startup.start()  # a second call says nothing
    (said,) = [record.getMessage() for record in caplog.records]
    assert said == (
        "Variables of OpenTelemetry that are set and change nothing here: OTEL_BLRP_MAX_QUEUE_SIZE (OTEL_BSP_MAX_QUEUE_SIZE is for log "
        "lines, too); OTEL_EXPORTER_OTLP_INSECURE (http:// or https:// in the endpoint says it)."
    )


@pytest.mark.parametrize(
    "environ",
    [
        {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "Cumulative"},
        {"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": "explicit_bucket_histogram"},
        {"OTEL_BLRP_MAX_QUEUE_SIZE": ""},
        {"OTEL_PYTHON_LOG_CORRELATION": "true", "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST": "x", "PATH": "/bin"},
        {"OTEL_SDK_DISABLED": "False"},
    ],
)
def test_what_asks_for_nothing_else_is_no_news(environ: dict[str, str]):
    assert load({}, environ).ignored == {}


def test_a_slip_of_the_finger_in_a_name_of_opentelemetrys_is_told():
    """Of the hundreds of names that other programs read nothing is said."""
    ignored = load({}, {"OTEL_SERVICENAME": "orders", "OTEL_EXPORTER_OTLP_ENDPONT": "http://x:4318"}).ignored
    assert ignored == {
        "OTEL_EXPORTER_OTLP_ENDPONT": "there is no such variable; did you mean OTEL_EXPORTER_OTLP_ENDPOINT?",
        "OTEL_SERVICENAME": "there is no such variable; did you mean OTEL_SERVICE_NAME?",
    }


def test_a_value_that_opentelemetry_takes_for_false_does_not_switch_off_and_says_so():
    config = load({}, {"OTEL_SDK_DISABLED": "1"})
    assert config.enabled
    assert "takes everything else for false" in config.ignored["OTEL_SDK_DISABLED"]


def test_an_unknown_variable_of_ours_stops_the_start_and_offers_the_nearest():
    """A23: the prefix is ours, so it is a mistake; what the demo and the stack read is not."""
    with pytest.raises(ConfigError) as raised:
        load({}, {"OTELKIT_METRIC_PORT": "9464", "OTELKIT_DEMO_FAULTS": "x", "OTELKIT_PRESET": "production", "OTELKIT_PRSET": "test"})
    assert raised.value.problems == (
        'OTELKIT_METRIC_PORT is no variable of otelkit. Did you mean "OTELKIT_METRICS_PORT"?',
        'OTELKIT_PRSET is no variable of otelkit. Did you mean "OTELKIT_PRESET"?',
    )


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        (
            {"OTEL_TRACES_SAMPLER": "parentbased_ratio"},
            "parentbased_traceidratio; it is 'parentbased_ratio'. Did you mean \"parentbased_traceidratio\"?",
        ),
        (
            {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"},
            "OTEL_EXPORTER_OTLP_PROTOCOL must be one of http/protobuf, grpc; it is 'http/json'.",
        ),
        (
            {"OTEL_PROPAGATORS": "tracecontext,b3"},
            "tracecontext, or what is installed: 'b3' is not (pip install opentelemetry-propagator-b3)",
        ),
        ({"OTEL_METRICS_EXEMPLAR_FILTER": "sometimes"}, "must be one of trace_based, always_off, always_on; it is 'sometimes'."),
        ({"OTEL_LOG_LEVEL": "loud"}, "OTEL_LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL; it is 'loud'."),
        ({"OTEL_SPAN_EVENT_COUNT_LIMIT": "-1"}, "OTEL_SPAN_EVENT_COUNT_LIMIT must be a whole number, 0 or more; it is '-1'."),
        ({"OTEL_EXPORTER_OTLP_METRICS_TIMEOUT": "1"}, "it is '1', which is 0.001 seconds (the variable holds milliseconds)."),
        ({"OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE": "/nowhere.pem"}, "OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE must be a file that can be read"),
        ({"OTEL_EXPORTER_OTLP_TRACES_HEADERS": "hunter2"}, "must be like key=value,key=value; it is [REDACTED]."),
        (
            {"OTEL_EXPORTER_OTLP_CLIENT_KEY": __file__},
            'OTEL_EXPORTER_OTLP_CLIENT_KEY needs OTELKIT["export"]["client_certificate"] beside it, which is not set',
        ),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_the_nearest(environ: dict[str, str], message: str):
    """A23."""
    with pytest.raises(ConfigError) as raised:
        load({}, environ)
    (problem,) = raised.value.problems
    assert message in problem


def test_what_belongs_together_is_complained_of_with_everything_else():
    """A23: all problems in one error."""
    with pytest.raises(ConfigError) as raised:
        load({"traces": {"sampler": "some"}}, {"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": __file__, "OTELKIT_X": "1"})
    assert len(raised.value.problems) == 3


# --- what each does ---------------------------------------------------------------------------------------------------

SAMPLED, UNSAMPLED = (f"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0{flag}" for flag in "10")


def kept(environ: dict[str, str], *callers: str | None) -> list[bool]:
    """Whether a request by each caller, told by its traceparent, leaves a span."""
    found = []
    for caller in callers:
        with capture({}, environ) as telemetry:
            Client(headers={"traceparent": caller} if caller else {}).get("/items/1")
            found.append(bool(telemetry.spans))
    return found


@pytest.mark.parametrize(
    ("sampler", "argument", "expected"),
    [
        ("always_on", "0", [True, True, True]),
        ("always_off", "1", [False, False, False]),
        ("traceidratio", "1", [True, True, True]),
        ("traceidratio", "0", [False, False, False]),
        ("parentbased_always_on", "0", [True, False, True]),
        ("parentbased_always_off", "1", [True, False, False]),
        ("parentbased_traceidratio", "0", [True, False, False]),
        ("parentbased_traceidratio", "1", [True, False, True]),
    ],
)
@pytest.mark.parametrize("spans", ["the kit's", "the SDK's"])
def test_each_sampler_decides_as_the_specification_says(sampler: str, argument: str, expected: list[bool], spans: str):
    """For callers that keep the trace, callers that do not, and no caller; the argument counts for the samplers by ratio alone."""
    environ = {"OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": argument}
    if spans == "the SDK's":
        environ["OTEL_SPAN_LINK_COUNT_LIMIT"] = "128"
    assert kept(environ, SAMPLED, UNSAMPLED, None) == expected


def test_the_kits_spans_are_the_sdks_where_its_limits_are_asked_for():
    with capture({}, {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "3"}) as telemetry:
        assert telemetry.runtime.config.sources["traces.sdk_spans"] == "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT"
        span = telemetry.runtime.tracer.start_span("x")
        assert isinstance(span, SdkSpan)
        span.end()
    with capture() as telemetry:
        span = telemetry.runtime.tracer.start_span("x")
        assert not isinstance(span, SdkSpan)
        span.end()


LIMITED = """
import os
import tests.conftest
from django.test import Client
from otelkit.testing import capture

with capture({}, dict(os.environ)) as telemetry:
    Client(headers={"user-agent": "a long name"}).get("/items/1")
    print(len(telemetry.spans[0]["attributes"]))
"""


def test_the_sdk_reads_the_limits_of_its_process():
    """In a process of its own, because the provider, which reads them, is made once. The test's own package clears the variables first."""
    script = LIMITED.replace("import tests.conftest", "import tests.conftest; os.environ['OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT'] = '3'")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split()[-1] == "3", done.stderr


@pytest.fixture
def default_propagator() -> Iterator[None]:
    before = propagate.get_global_textmap()
    yield
    assert propagate.get_global_textmap() is before


@pytest.mark.usefixtures("default_propagator")
@pytest.mark.parametrize(
    ("names", "written"),
    [("tracecontext", {"traceparent"}), ("baggage", {"baggage"}), ("tracecontext,baggage", {"traceparent", "baggage"}), ("none", set())],
)
def test_traces_go_on_by_the_formats_that_were_chosen(names: str, written: set[str]):
    from opentelemetry import baggage

    with capture({}, {"OTEL_PROPAGATORS": names}) as telemetry:
        context = baggage.set_baggage("a", "b", trace.set_span_in_context(telemetry.runtime.tracer.start_span("x")))
        carrier: dict[str, str] = {}
        propagate.inject(carrier, context)
        assert set(carrier) == written
        Client(headers={"traceparent": SAMPLED}).get("/items/1")
        is_followed = telemetry.span("GET /items/{pk}")["trace_id"] == SAMPLED.split("-")[1]
        assert is_followed is ("tracecontext" in names)


@pytest.mark.usefixtures("default_propagator")
def test_a_format_of_another_package_works_beside_ours(monkeypatch: pytest.MonkeyPatch):
    class Letters(CompositePropagator):
        def __init__(self) -> None:
            super().__init__([])

        def inject(self, carrier: Any, context: Any = None, setter: Any = None) -> None:
            carrier["x-letters"] = "abc"

    entry = SimpleNamespace(load=lambda: Letters)
    monkeypatch.setattr("otelkit.traces.propagators.entry_points", lambda group, name: {"letters": [entry]}[name])
    carrier: dict[str, str] = {}
    with capture() as telemetry:
        context = trace.set_span_in_context(telemetry.runtime.tracer.start_span("x"))
        propagator_of(["tracecontext", "baggage", "letters", "letters"]).inject(carrier, context)
    assert set(carrier) == {"traceparent", "x-letters"}


@pytest.mark.parametrize(("chosen", "has_exemplars"), [("trace_based", True), ("always_on", True), ("always_off", False)])
def test_exemplars_can_be_left_out(chosen: str, has_exemplars: bool):
    with capture({}, {"OTEL_METRICS_EXEMPLAR_FILTER": chosen}) as telemetry:
        Client().get("/items/1")
        point = telemetry.point("http.server.request.duration", http_route="/items/{pk}")
        assert point["count"] == 1
        assert bool(point["exemplars"]) is has_exemplars


@pytest.mark.parametrize(("text", "level"), [("debug", 10), ("WARN", 30), ("none", 50), ("error", 40)])
def test_the_log_level_of_the_sdk_is_that_of_the_kits_own_lines(text: str, level: int):
    before = [logging.getLogger(name).level for name in ("otelkit", "opentelemetry")]
    with capture({}, {"OTEL_LOG_LEVEL": text}):
        assert [logging.getLogger(name).level for name in ("otelkit", "opentelemetry")] == [level, level]
        assert logging.getLogger("otelkit.access").isEnabledFor(logging.INFO), "access lines have a switch of their own"
    assert [logging.getLogger(name).level for name in ("otelkit", "opentelemetry")] == before


def test_a_signal_goes_its_own_way_where_it_has_one():
    """OTEL_EXPORTER_OTLP_METRICS_...: address, headers, compression and time of one signal; the others keep the general ones."""
    with receiver() as shared, receiver() as own:
        config = load(
            {"export": {"headers": {"x-team": "shop"}}},
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": shared.endpoint,
                "OTEL_EXPORTER_OTLP_TIMEOUT": "4000",
                "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{own.endpoint}/api/v1/otlp",
                "OTEL_EXPORTER_OTLP_METRICS_HEADERS": "authorization=Basic%20abc",
                "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION": "none",
                "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT": "2000",
            },
        )
        sender = HttpSender(config.export)
        assert [sender.send(signal, b"x", 5).verdict for signal in ("traces", "metrics", "logs")] == [Verdict.DELIVERED] * 3
    ((path, headers, body),) = own.requests
    assert (path, headers["authorization"], body) == ("/api/v1/otlp", "Basic abc", b"x")
    assert not {"x-team", "Content-Encoding"} & set(headers)
    assert [path for path, _, _ in shared.requests] == ["/v1/traces", "/v1/logs"]
    assert all(headers["x-team"] == "shop" and headers["Content-Encoding"] == "gzip" for _, headers, _ in shared.requests)
    assert [config.export.receiver(signal).timeout for signal in ("traces", "metrics")] == [4.0, 2.0]


@pytest.mark.parametrize("says", ["certificate required", "nothing"])
def test_what_to_do_for_a_receiver_that_asks_who_we_are_is_in_the_warning(says: str):
    """The alert of TLS 1.3 comes after the handshake, and is often lost with the connection."""
    error = ssl.SSLError(1, "tlsv13 alert certificate required") if says == "certificate required" else ssl.SSLEOFError(8, "EOF occurred")
    error.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED" if says == "certificate required" else None
    assert "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY" in reason(error)


def test_a_receiver_that_asks_who_we_are_is_shown_a_certificate(tmp_path: Path):
    """mTLS, for one signal."""
    theirs, ours = (certificate_for("IP:127.0.0.1", tmp_path / who) for who in ("receiver", "service"))
    general = {"OTEL_EXPORTER_OTLP_CERTIFICATE": theirs.path}
    shown = {"OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE": ours.path, "OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY": ours.key}
    with receiver(certificate=theirs, clients=ours) as running:
        sender = HttpSender(load({}, {**general, **shown, "OTEL_EXPORTER_OTLP_ENDPOINT": running.endpoint}).export)
        assert sender.send("logs", b"", 5).verdict is Verdict.DELIVERED
        assert sender.send("traces", b"", 5).verdict is Verdict.RETRY
        mixed = Export(endpoint=running.endpoint, certificate=theirs.path, client_certificate=ours.path, client_key=theirs.key)
        assert "the private key" in HttpSender(mixed).send("traces", b"", 5).detail
