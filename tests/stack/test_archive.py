"""``otelkit export`` and ``otelkit import``: what one stack holds, another one holds afterwards."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Exemplar, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum

from otelkit.cli import main
from otelkit_stack.queries import Queries
from otelkit_stack.testing import RunningStack, running_stack
from tests.stack.otlp_requests import TRACE_ID, any_value, key_values, logs, metrics, post, span, traces
from tests.stack.random_otlp import REQUESTS

NOW_NS = time.time_ns()
SECOND = 1_000_000_000


def fill(stack: RunningStack) -> None:
    """Something of each kind, with what is easily lost: parents, events, links, exemplars, NaN, infinity, the end of a series."""
    first = span("00f067aa0ba902b7", start_ns=NOW_NS, error="no", tags=["a", {"b": 1}], ok=True, share=0.5)
    first.events.add(time_unix_nano=NOW_NS + 1, name="exception", attributes=key_values({"exception.type": "ValueError"}))
    first.links.add(trace_id=b"\x01" * 16, span_id=b"\x02" * 8, attributes=key_values({"a": 1}))
    other = span("00f067aa0ba902b8", trace_id="b" * 32, start_ns=NOW_NS - 7200 * SECOND)
    post(stack.url, traces(first, span("00f067aa0ba902b9", parent="00f067aa0ba902b7", start_ns=NOW_NS), other))
    record = LogRecord(
        time_unix_nano=NOW_NS,
        observed_time_unix_nano=NOW_NS + 5,
        severity_number=17,
        severity_text="ERR",
        body=any_value("failed"),
        flags=1,
    )
    record.trace_id, record.span_id = bytes.fromhex(TRACE_ID), bytes.fromhex("00f067aa0ba902b7")
    record.attributes.extend(key_values({"deep": {"a": [1, None]}}))
    post(stack.url, logs(record, LogRecord(time_unix_nano=NOW_NS - 7200 * SECOND, body=any_value({"map": 1}))))
    exemplar = Exemplar(
        time_unix_nano=NOW_NS,
        as_double=0.2,
        trace_id=bytes.fromhex(TRACE_ID),
        span_id=b"\x01" * 8,
        filtered_attributes=key_values({"user.id": "7"}),
    )
    for back in (2, 1, 0):
        at = NOW_NS - back * 15 * SECOND
        point = HistogramDataPoint(
            time_unix_nano=at,
            count=6 - back,
            sum=1.5,
            explicit_bounds=[0.005, 1],
            bucket_counts=[1, 3 - back, 2],
            exemplars=[exemplar],
            flags=1 if back == 0 else 0,
        )
        values = [
            NumberDataPoint(time_unix_nano=at, as_double=float(text), attributes=key_values({"kind": text}))
            for text in ("nan", "inf", "-1.5")
        ]
        counted = NumberDataPoint(time_unix_nano=at, as_int=3 - back, exemplars=[exemplar])
        post(
            stack.url,
            metrics(
                Metric(name="http.server.request.duration", unit="s", histogram=Histogram(aggregation_temporality=2, data_points=[point])),
                Metric(name="level", gauge=Gauge(data_points=values)),
                Metric(name="orders", sum=Sum(aggregation_temporality=2, is_monotonic=True, data_points=[counted])),
                Metric(name="service:ratio", gauge=Gauge(data_points=values[2:])),
            ),
        )
    stack.flush()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """The folder of a stack, and all of it as a file, written while the stack ran."""
    folder = tmp_path_factory.mktemp("first")
    file = folder / "all.zip"
    with running_stack(folder) as stack:
        fill(stack)
        assert main(["export", str(file), "--data", str(folder)]) == 0
        yield folder, file


def held(queries: Queries) -> dict[str, Any]:
    """All of it; NaN as a text, so that it equals itself."""
    names = ("http_server_request_duration_seconds_bucket", "http_server_request_duration_seconds_count", "target_info", "level")
    series = {
        name: [(one.labels, [(at, repr(value)) for at, value in one.samples]) for one in queries.series(name)]
        for name in (*names, "http_server_request_duration_seconds_sum", "orders_total", "service:ratio")
    }
    found = [queries.trace(trace_id) for trace_id in (TRACE_ID, "b" * 32)]
    # Each stack counts spans itself, with exemplars of its own.
    exemplars = sorted((one for one in queries.exemplars() if not one.metric.startswith("traces_")), key=lambda one: one.metric)
    return {"series": series, "traces": found, "logs": queries.logs(limit=-1), "exemplars": exemplars}


def test_another_stack_holds_the_same_after_an_import(exported: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder, file = exported
    with running_stack(tmp_path) as second:
        assert main(["import", str(file), "--url", second.url]) == 0
        second.flush()
        with Queries(folder) as before, Queries(tmp_path) as after:
            ours, theirs = held(before), held(after)
    assert capsys.readouterr().out.startswith(f"{file}: 3 requests were taken by http://127.0.0.1:")
    assert ours["series"] == theirs["series"]
    assert any(samples for _, samples in ours["series"]["level"])
    assert ours["logs"] == theirs["logs"]
    assert ours["exemplars"] == theirs["exemplars"]

    def without_exemplars(found: list[Any]) -> list[Any]:
        return [replace(one, exemplars=()) for one in found]

    assert without_exemplars(ours["traces"]) == without_exemplars(theirs["traces"])


def test_each_line_is_a_request_of_otlp(exported: tuple[Path, Path]):
    """Read by protobuf's own parser, once the ids are spelled its way, with no field it does not know."""
    kinds = {"traces.jsonl": "/v1/traces", "logs.jsonl": "/v1/logs", "metrics.jsonl": "/v1/metrics"}
    with zipfile.ZipFile(exported[1]) as archive:
        assert archive.namelist() == ["about.json", *kinds]
        assert json.loads(archive.read("about.json"))["format"] == "OTLP JSON, a request a line"
        for name, path in kinds.items():
            for line in archive.read(name).splitlines():
                message: Message = json_format.Parse(_without_ids(json.loads(line)), REQUESTS[path]())
                assert message.ByteSize() > 100


def _without_ids(request: Any) -> str:
    def emptied(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: emptied(value) for key, value in item.items() if key not in ("traceId", "spanId", "parentSpanId")}
        return [emptied(value) for value in item] if isinstance(item, list) else item

    return json.dumps(emptied(request))


def test_an_export_can_be_of_one_trace_or_of_the_last_hour(exported: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder, _ = exported
    assert main(["export", str(tmp_path / "one.zip"), "--data", str(folder), "--trace", TRACE_ID]) == 0
    assert capsys.readouterr().out.strip().endswith("one.zip: 2 spans, 1 log lines")
    assert main(["export", str(tmp_path / "hour.zip"), "--data", str(folder), "--since", "1h"]) == 0
    assert "2 spans, 1 log lines, " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("export", "{tmp}/x.zip", "--data", "{tmp}/none"), "does not exist. Start the stack with this folder first"),
        (("export", "{tmp}/none/x.zip", "--data", "{data}"), "cannot be written: No such file or directory."),
        (("import", "{tmp}/none.zip"), "none.zip cannot be read: "),
        (("import", "{tmp}/empty.zip"), "it was not written by `otelkit export`"),
        (("import", "{file}", "--url", "http://127.0.0.1:9"), "Nothing answers at http://127.0.0.1:9"),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_leaves_no_file(
    exported: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
):
    folder, file = exported
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("x", "y")
    assert main([argument.format(tmp=tmp_path, data=folder, file=file) for argument in arguments]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"otelkit {arguments[0]}: ")
    assert said in error
    assert [one.name for one in tmp_path.iterdir()] == ["empty.zip"]
