"""The catalogue is what the kit does: each name has one place, one spelling, and either somebody who records it or a place among the names
for later."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any

from celery import Celery
from django.core.management import execute_from_command_line
from django.test import Client
from kombu import Connection, Consumer, Producer, Queue

import otelkit
from otelkit.catalog import ahead, labels, logs, metrics
from otelkit.catalog.ahead import AHEAD, SPANS_AHEAD
from otelkit.catalog.labels import RESOURCE, Label
from otelkit.catalog.metrics import METRICS, OTHERS, Metric
from otelkit.catalog.naming import series_name, series_names
from otelkit.catalog.spans import (
    COMMAND_RUN,
    MESSAGE_PROCESS,
    MESSAGE_SEND,
    OUTBOUND,
    QUERY,
    REQUEST,
    SPANS,
    STEP,
    TASK_PROCESS,
    TASK_PUBLISH,
    SpanFact,
)
from otelkit.testing import capture

ROOT = Path(otelkit.__file__).parent

SPELLED = """
http.server.request.duration                http_server_request_duration_seconds_count
http.server.active_requests                 http_server_active_requests
http.server.request.body.size               http_server_request_body_size_bytes_count
http.server.response.body.size              http_server_response_body_size_bytes_count
http.server.request.queue.duration          http_server_request_queue_duration_seconds_count
django.request.phase.duration               django_request_phase_duration_seconds_count
django.request.db.queries                   django_request_db_queries_count
django.request.db.duplicates                django_request_db_duplicates_count
django.request.db.n_plus_one                django_request_db_n_plus_one_total
validation.failures                         validation_failures_total
websocket.server.connection.duration        websocket_server_connection_duration_seconds_count
websocket.server.active_connections         websocket_server_active_connections
websocket.server.event.duration             websocket_server_event_duration_seconds_count
websocket.server.sent.messages              websocket_server_sent_messages_total
db.client.operation.duration                db_client_operation_duration_seconds_count
db.client.connection.count                  db_client_connection_count
db.client.connection.max                    db_client_connection_max
db.client.connection.timeouts               db_client_connection_timeouts_total
db.client.connection.wait_time              db_client_connection_wait_time_seconds_count
django.migrations.unapplied                 django_migrations_unapplied
django.cache.operation.duration             django_cache_operation_duration_seconds_count
django.template.render.duration             django_template_render_duration_seconds_count
http.client.request.duration                http_client_request_duration_seconds_count
task.duration                               task_duration_seconds_count
task.wait.duration                          task_wait_duration_seconds_count
task.active                                 task_active
task.queue.depth                            task_queue_depth
task.queue.oldest.age                       task_queue_oldest_age_seconds
worker.up                                   worker_up
task.last_success.time                      task_last_success_time_seconds
command.duration                            command_duration_seconds_count
command.last_success.time                   command_last_success_time_seconds
messaging.client.operation.duration         messaging_client_operation_duration_seconds_count
messaging.client.sent.messages              messaging_client_sent_messages_total
messaging.client.consumed.messages          messaging_client_consumed_messages_total
messaging.process.duration                  messaging_process_duration_seconds_count
errors.captured                             errors_captured_total
process.cpu.time                            process_cpu_time_seconds_total
process.memory.usage                        process_memory_usage_bytes
process.open_file_descriptor.count          process_open_file_descriptor_count
process.thread.count                        process_thread_count
process.uptime                              process_uptime_seconds
cpython.gc.collections                      cpython_gc_collections_total
cpython.gc.collected_objects                cpython_gc_collected_objects_total
cpython.gc.uncollectable_objects            cpython_gc_uncollectable_objects_total
worker.pool.busy                            worker_pool_busy
worker.pool.size                            worker_pool_size
build.info                                  build_info
outbox.pending                              outbox_pending
outbox.oldest.age                           outbox_oldest_age_seconds
outbox.published                            outbox_published_total
outbox.publish.lag                          outbox_publish_lag_seconds_count
inbox.processed                             inbox_processed_total
saga.started                                saga_started_total
saga.completed                              saga_completed_total
saga.active                                 saga_active
saga.oldest.age                             saga_oldest_age_seconds
saga.step.duration                          saga_step_duration_seconds_count
circuit_breaker.state                       circuit_breaker_state
circuit_breaker.transitions                 circuit_breaker_transitions_total
circuit_breaker.rejected                    circuit_breaker_rejected_total
http.client.retries                         http_client_retries_total
retry_budget.exhausted                      retry_budget_exhausted_total
degraded.responses                          degraded_responses_total
load.shed                                   load_shed_total
idempotency.requests                        idempotency_requests_total
auth.attempts                               auth_attempts_total
auth.tokens.validated                       auth_tokens_validated_total
auth.jwks.refreshes                         auth_jwks_refreshes_total
permission.denied                           permission_denied_total
csrf.failures                               csrf_failures_total
throttle.rejections                         throttle_rejections_total
api.requests                                api_requests_total
api.sunset.time                             api_sunset_time_seconds
api.contract.violations                     api_contract_violations_total
health.check.status                         health_check_status
health.check.duration                       health_check_duration_seconds_count
feature_flag.evaluations                    feature_flag_evaluations_total
otelkit.telemetry.created                   otelkit_telemetry_created_total
otelkit.telemetry.exported                  otelkit_telemetry_exported_total
otelkit.telemetry.dropped                   otelkit_telemetry_dropped_total
otelkit.telemetry.queued                    otelkit_telemetry_queued
otelkit.export.duration                     otelkit_export_duration_seconds_count
otelkit.series.overflowed                   otelkit_series_overflowed_total
otelkit.overhead.duration                   otelkit_overhead_duration_seconds_count
traces.span.metrics.calls                   traces_span_metrics_calls_total
traces.span.metrics.duration                traces_span_metrics_duration_seconds_count
traces.service_graph.request                traces_service_graph_request_total
traces.service_graph.request.failed         traces_service_graph_request_failed_total
traces.service_graph.request.server         traces_service_graph_request_server_seconds_count
target                                      target_info
ALERTS                                      ALERTS
"""
"""The telemetry contract: every metric, and the series that somebody types who wants to see it."""

EVERY = (*METRICS, *OTHERS, *AHEAD)


def test_the_catalogue_is_the_contract_spelled_as_prometheus_spells_it():
    contract = dict(line.split() for line in SPELLED.split("\n") if line)
    assert {metric.name: series_name(metric) for metric in EVERY} == contract


def test_no_two_metrics_share_a_series_and_no_metric_has_two_places():
    assert len(set(EVERY)) == len(EVERY)
    names = [name for metric in EVERY for name in series_names(metric)]
    assert len(names) == len(set(names))


@cache
def runtime_trees() -> list[ast.AST]:
    """What runs in a user's process, without the catalogue and without the writer of the reference pages."""
    files = [file for file in ROOT.rglob("*.py") if "catalog" not in file.relative_to(ROOT).parts and file.name != "reference.py"]
    return [ast.parse(file.read_text()) for file in files]


def names_used() -> set[str]:
    """Every name that the runtime reads; an import alone is no use."""
    names = {node.id for tree in runtime_trees() for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return names | {node.attr for tree in runtime_trees() for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def constants(module: Any, kind: type) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if isinstance(value, kind)}


def test_every_metric_of_the_catalogue_has_a_recorder():
    """D2: what boards may draw, somebody records."""
    own = {name for name, metric in constants(metrics, Metric).items() if metric in METRICS}
    assert sorted(own - names_used()) == []


def test_what_gets_a_recorder_moves_out_of_the_names_for_later():
    later = set(constants(ahead, Metric))
    assert len(later) == len(AHEAD)
    assert sorted(later & names_used()) == []


def test_a_label_has_one_declaration():
    """Only these words mean something else for each metric; any other that is declared twice is an oversight."""
    declared = {**constants(labels, Label), **{f"ahead.{name}": label for name, label in constants(ahead, Label).items()}}
    by_name: dict[str, set[Label]] = {}
    for label in declared.values():
        by_name.setdefault(label.name, set()).add(label)
    assert sorted(name for name, found in by_name.items() if len(found) > 1) == ["outcome", "reason", "server", "state"]


def asked() -> list[dict[str, Any]]:
    """The spans of requests that make the kit say as much as it can."""
    client = Client(raise_request_exception=False, headers={"user-agent": "curl/8", "x-request-start": "t=1.0"})
    settings = {
        "requests": {"client_address": "full"},
        "database": {"slow_query": 0.0},
        "clients": {"peers": {"127.0.0.1": "nobody"}},
        "libraries": {"slow_step": 0.0},
    }
    with capture(settings) as telemetry:
        client.get("/queries/7")
        client.get("/template")
        client.get("/cached")
        client.get("/class/1")
        client.get("/nowhere")
        client.generic("BREW", "/items/1")
        client.get("/call?url=http://127.0.0.1:1/")
        client.get("/boom")
        execute_from_command_line(["manage.py", "check"])
        queue_a_task()
        send_a_message()
        return telemetry.spans


def queue_a_task() -> None:
    """Sends one to a broker in this process, which nobody takes, and runs one without any."""
    shop = Celery("contract", broker="memory://", set_as_current=False)
    shop.conf.task_default_queue = "contract"
    shop.send_task("contract.ship")

    @shop.task(name="contract.ship")
    def ship() -> None:
        """Nothing."""

    ship.apply()


def send_a_message() -> None:
    """By a broker in this process."""
    with Connection("memory://", transport_options={"polling_interval": 0.01}) as connection:
        Producer(connection).publish("hello", routing_key="contract-message", declare=[Queue("contract-message")])
        with Consumer(connection, [Queue("contract-message")], callbacks=[lambda body, message: message.ack()]):
            connection.drain_events(timeout=10)


def fact_of(span: dict[str, Any]) -> SpanFact:
    """What the catalogue calls it."""
    if span["kind"] == "CLIENT":
        return QUERY if "db.system.name" in span["attributes"] else OUTBOUND
    if span["kind"] in ("PRODUCER", "CONSUMER"):
        facts = (TASK_PUBLISH, TASK_PROCESS) if "task.name" in span["attributes"] else (MESSAGE_SEND, MESSAGE_PROCESS)
        return facts[span["kind"] == "CONSUMER"]
    return {"SERVER": REQUEST, "INTERNAL": COMMAND_RUN if "command" in span["attributes"] else STEP}[span["kind"]]


MET = (REQUEST, QUERY, OUTBOUND, STEP, TASK_PUBLISH, TASK_PROCESS, MESSAGE_SEND, MESSAGE_PROCESS, COMMAND_RUN)
"""What `asked` makes; events and sagas have tests of their own."""


def test_spans_carry_what_the_catalogue_says_and_nothing_else():
    met: dict[str, set[str]] = {fact.key: set() for fact in MET}
    for span in asked():
        fact = fact_of(span)
        unknown = set(span["attributes"]) - {label.name for label in fact.attributes}
        assert not unknown, (fact.key, unknown)
        met[fact.key] |= set(span["attributes"])
    assert all(met.values())
    # What this scenario cannot bring about, other tests do: here it is enough that the code knows the name.
    known = {node.value for tree in runtime_trees() for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    known |= {value for value in vars(logs).values() if isinstance(value, str)}
    for fact in SPANS:
        assert {label.name for label in fact.attributes} - met.get(fact.key, set()) <= known, fact.key


def test_no_span_for_later_is_one_of_today():
    assert not {span.key for span in SPANS} & {span.key for span in SPANS_AHEAD}


def test_the_resource_is_what_the_catalogue_says():
    given = {"namespace": "shop", "version": "1.2", "revision": "4711abc", "owner": "team-a", "environment": "test", "criticality": "high"}
    with capture({"service": {"name": "orders", **given}}) as telemetry:
        assert set(telemetry.runtime.resource) == {label.name for label in RESOURCE}
        build = telemetry.point("build.info")["attributes"]
        assert (build["service.version"], build["vcs.ref.head.revision"]) == ("1.2", "4711abc")
        for label in RESOURCE:
            assert not label.values or telemetry.runtime.resource[label.name] in label.values, label.name


def test_a_revision_that_nobody_named_is_absent():
    with capture() as telemetry:
        assert set(telemetry.point("build.info")["attributes"]) == {"python.version", "django.version", "otelkit.version"}
        assert "vcs.ref.head.revision" not in telemetry.runtime.resource


def test_log_lines_carry_what_the_catalogue_says_and_nothing_else():
    with capture({"logs": {"exporters": ["otlp"]}, "service": {"name": "orders"}}) as telemetry:
        client = Client(raise_request_exception=False, headers={"user-agent": "curl/8"})
        client.get("/queries/7")
        client.get("/cached")
        client.get("/boom")
        lines = telemetry.logs
    access = [line["attributes"] for line in lines if line["attributes"].get("http.route") in ("/queries/{times}", "/cached")]
    shared = {key.name for keys in (logs.EVERY_LINE, logs.WITHIN_A_TRACE, logs.WITHIN_A_REQUEST) for key in keys}
    every_key = {key.name for key in logs.ACCESS_LINE}
    assert every_key <= {key for line in access for key in line} <= every_key | shared
    (failed,) = [line for line in lines if "exception.type" in line["attributes"]]
    errors = {key.name for key in logs.WITH_AN_EXCEPTION}
    assert errors <= set(failed["attributes"]) <= errors | shared | {"status_code"}
