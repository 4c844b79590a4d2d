"""The Collector's configuration: names that last, nothing lost in silence, and the real program's own verdict."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from otelkit.catalog import labels as l
from otelkit.catalog.metrics import TRACES_SPAN_METRICS_CALLS, TRACES_SPAN_METRICS_DURATION
from tests.compose.collector_lint import complaints
from tests.compose.real_programs import accepted
from tests.compose.stack_files import COMPOSE, config, environment_file, services

PATH = "collector/config.yaml"


def test_the_collector_configuration_has_no_old_name_no_batch_and_no_loose_end():
    assert complaints(config(PATH)) == []


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (
            lambda c: c["exporters"].update({"otlphttp/x": c["exporters"]["otlp_http/loki"]}),
            "otlphttp/x is an old name; it is otlp_http now",
        ),
        (lambda c: c["connectors"].update({"spanmetrics": {}}), "spanmetrics is an old name; it is span_metrics now"),
        (lambda c: c["processors"].update({"batch/traces": {}}), "batch is on its way out"),
        (lambda c: c["exporters"]["otlp_http/loki"].pop("sending_queue"), "otlp_http/loki has no sending_queue.storage"),
        (lambda c: c["exporters"]["otlp_grpc/tempo"].pop("retry_on_failure"), "otlp_grpc/tempo gives up after five minutes"),
        (lambda c: c["exporters"]["otlp_http/loki"]["sending_queue"].pop("batch"), "otlp_http/loki sends each request as it came"),
        (lambda c: c["service"]["pipelines"]["logs"]["processors"].reverse(), "logs takes data from outside"),
        (lambda c: c["service"]["pipelines"].pop("logs"), "otlp_http/loki is defined and used nowhere"),
        (lambda c: c["processors"].pop("redaction"), "redaction is used and defined nowhere"),
        (lambda c: c["service"]["telemetry"].update({"resource": {"service.name": "x"}}), "legacy form"),
        (lambda c: c["service"]["telemetry"].update({"metrics": {"address": ":8888"}}), "ignored since 0.123"),
    ],
)
def test_the_lint_notices(damage: Any, complaint: str):
    """Each rule of the lint speaks when its one thing is broken in the shipped file."""
    broken = copy.deepcopy(config(PATH))
    damage(broken)
    assert any(complaint in said for said in complaints(broken)), complaints(broken)


def test_span_metrics_see_every_span_and_storage_only_the_kept_ones():
    """Metrics of sampled spans would be wrong by the sampling ratio."""
    pipelines = config(PATH)["service"]["pipelines"]
    before = [name for name, pipeline in pipelines.items() if "span_metrics" in pipeline["exporters"]]
    after = [name for name, pipeline in pipelines.items() if "tail_sampling" in pipeline.get("processors", ())]
    assert before == ["traces/all"]
    assert "tail_sampling" not in pipelines["traces/all"]["processors"]
    assert [pipelines[name]["exporters"] for name in after] == [["otlp_grpc/tempo"]]


def test_secrets_are_redacted_before_anything_reads_the_spans_or_lines():
    pipelines = config(PATH)["service"]["pipelines"]
    assert pipelines["traces/all"]["processors"][-1] == "redaction"
    assert pipelines["logs"]["processors"][-1] == "redaction"


def test_span_metrics_carry_the_labels_that_the_service_graph_rules_join():
    dimensions = {dimension["name"] for dimension in config(PATH)["connectors"]["span_metrics"]["dimensions"]}
    wanted = (l.HTTP_ROUTE, l.HTTP_REQUEST_METHOD, l.HTTP_RESPONSE_STATUS_CODE, l.SERVICE_PEER_NAME, l.DB_SYSTEM_NAME, l.DB_NAMESPACE)
    assert {label.name for label in wanted} <= dimensions


def test_span_metrics_have_the_labels_and_buckets_of_the_catalogue():
    connector = config(PATH)["connectors"]["span_metrics"]
    of_every_span = [l.SPAN_NAME, l.SPAN_KIND, l.STATUS_CODE]
    assert [label.name for label in TRACES_SPAN_METRICS_CALLS.labels] == [
        *(label.name for label in of_every_span),
        *(dimension["name"] for dimension in connector["dimensions"]),
    ]
    units = {"ms": 0.001, "s": 1}
    buckets = [re.fullmatch(r"(\d+)(ms|s)", text) for text in connector["histogram"]["explicit"]["buckets"]]
    assert [float(bucket[1]) * units[bucket[2]] for bucket in buckets if bucket] == pytest.approx(TRACES_SPAN_METRICS_DURATION.buckets)


def test_every_variable_of_the_collector_is_handed_to_its_container():
    used = set(re.findall(r"\$\{env:(\w+)", (COMPOSE / PATH).read_text()))
    assert used <= set(services()["collector"]["environment"])


def test_probe_paths_that_the_services_exclude_never_reach_storage():
    """The second net after A13: the filter knows the four probe paths."""
    (condition,) = config(PATH)["processors"]["filter/noise"]["traces"]["span"]
    pattern = condition.partition('"^')[2].rpartition('"')[0]
    for path in ("/livez", "/readyz", "/startupz", "/metrics"):
        assert re.match("^" + pattern, path)
    assert not re.match("^" + pattern, "/orders")


@pytest.mark.backends
def test_the_real_collector_accepts_the_configuration():
    accepted("otelcol-contrib", "validate", f"--config={COMPOSE / PATH}", environment=services()["collector"]["environment"])


@pytest.mark.backends
def test_the_validated_collector_is_the_pinned_one():
    assert environment_file()["COLLECTOR_IMAGE"].rpartition(":")[2] in accepted("otelcol-contrib", "--version")
