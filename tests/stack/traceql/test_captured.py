"""The answers have the shape of those that a real Tempo gave to the same requests: captured once, beside the project."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otelkit_stack.testing import RunningStack, running_stack
from tests.stack.otlp_requests import post, span, traces
from tests.stack.promql.shared_files import shared_folder

CAPTURED = shared_folder("captured")
FILES = sorted(CAPTURED.glob("tempo_*.json")) if CAPTURED is not None else []
pytestmark = pytest.mark.skipif(not FILES, reason="needs the captured answers beside the project, in ../shared/captured")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Holds the trace that Tempo answered, and one more so that nothing that was asked for is empty."""
    assert CAPTURED is not None
    captured = json.loads((CAPTURED / "tempo_trace_v2.json").read_text())["body"]["trace"]
    slow = span(
        "5100000000000001", "GET slow/", trace_id="51" * 16, start_ns=1_795_348_509_623_441_088, duration_s=1.2, http__route="slow/"
    )
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        # As protobuf's JSON, ids in base64.
        post(running.url, json_format.ParseDict(captured, ExportTraceServiceRequest()))
        post(running.url, traces(slow, resource={"service.name": "shop", "service.instance.id": "1"}))
        running.flush()
        yield running


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_an_answer_has_the_shape_of_tempos(stack: RunningStack, file: Path):
    captured = json.loads(file.read_text())
    request = captured["request"]
    answer = httpx.request(request["method"], stack.url + request["path"], params=request["params"])
    assert answer.status_code == captured["status"]
    assert answer.headers.get("content-type", "") == captured["content_type"]
    if not isinstance(captured["body"], dict):
        assert answer.text == captured["body"]
        return
    theirs, ours = captured["body"], answer.json()
    # How much was read, and by how many jobs, is each one's own affair; Grafana refuses fields that it does not know.
    assert {*ours.pop("metrics", {})} <= {*theirs.pop("metrics", {}), "inspectedTraces"}
    assert [*ours] == [*theirs]
    assert differences(shape(ours), shape(theirs)) == []


# Their keys are data, not names of fields.
_BY_NAME = frozenset({"serviceStats"})


def shape(value: Any, name: str = "") -> Any:
    """The value without its data: types by key, a list as what all of its elements have together."""
    if isinstance(value, dict):
        inner = {key: shape(item, key) for key, item in value.items()}
        return {"*": merged(inner.values())} if name in _BY_NAME else inner
    if isinstance(value, list):
        return [merged(shape(item) for item in value)] if value else []
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def merged(shapes: Any) -> Any:
    result: Any = None
    for one in shapes:
        if isinstance(one, dict) and isinstance(result, dict):
            result = {key: merged([side[key] for side in (result, one) if key in side]) for key in {**result, **one}}
        elif isinstance(one, list) and isinstance(result, list):
            result = [merged([*result, *one])] if result or one else []
        elif result is None:
            result = one
    return result


def differences(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Where one shape has what the other has not; a list without elements has none to compare."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        missing = [f"{path}.{key} is missing" for key in theirs if key not in ours and path + "." + key not in _OPTIONAL]
        added = [f"{path}.{key} is not Tempo's" for key in ours if key not in theirs and path + "." + key not in _OPTIONAL]
        return [
            *missing,
            *added,
            *(found for key in ours if key in theirs for found in differences(ours[key], theirs[key], f"{path}.{key}")),
        ]
    if isinstance(ours, list) and isinstance(theirs, list):
        return differences(ours[0], theirs[0], f"{path}[]") if ours and theirs else []
    return [] if ours == theirs else [f"{path}: {ours} is not {theirs}"]


# What some spans have and others do not: whether the one trace at hand has it is chance.
_OPTIONAL = frozenset(
    f"{where}.{name}"
    for where, names in {
        ".traces[].serviceStats.*": ("errorCount",),
        ".traces[].spanSet.spans[]": ("attributes",),
        ".traces[].spanSets[].spans[]": ("attributes",),
        ".traces[].spanSet.spans[].attributes[].value": ("intValue", "stringValue"),
        ".traces[].spanSets[].spans[].attributes[].value": ("intValue", "stringValue"),
    }.items()
    for name in names
)


def test_a_captured_query_finds_the_captured_spans(stack: RunningStack):
    """The trace is Tempo's, so the same conditions hold for the same spans."""
    found = httpx.get(f"{stack.url}/api/search", params={"q": '{ resource.service.name = "shop" && status = error }'}).json()["traces"]
    (trace,) = found
    assert trace["spanSet"]["matched"] == 2
    assert trace["serviceStats"] == {"shop": {"spanCount": 2, "errorCount": 2}, "stock": {"spanCount": 1, "errorCount": 1}}
