"""Answers have the shape of Prometheus' HTTP API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otelkit_stack.promql.answers import failure, success
from otelkit_stack.promql.engine import Engine
from otelkit_stack.promql.errors import BadParameterError, QueryError
from otelkit_stack.promql.storage import MemoryStorage
from tests.stack.promql.shared_files import shared_folder

NAMES = [
    "prom_query_vector",
    "prom_query_scalar",
    "prom_query_string",
    "prom_query_empty",
    "prom_query_range_matrix",
    "prom_query_range_quantile",
    "prom_query_raw_server_count",
]


def captured(name: str) -> dict[str, Any]:
    folder = shared_folder("captured")
    if folder is None:
        pytest.skip("the captured answers are not here: ../shared/captured")
    content: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
    return content


@pytest.mark.parametrize("name", NAMES)
def test_the_samples_of_a_captured_answer_come_out_as_they_were(name: str) -> None:
    """What Prometheus answered is stored as samples of the same times; asked for, they have the same text."""
    answer = captured(name)
    data = answer["body"]["data"]
    storage = MemoryStorage()
    params = answer["request"]["params"]
    if data["resultType"] in ("scalar", "string"):
        time, text = data["result"]
        query = f'"{text}"' if data["resultType"] == "string" else text
        assert success(Engine(storage).instant(query, round(time * 1000)))["data"] == data
        return
    for number, series in enumerate(data["result"]):
        points = series.get("values") or [series["value"]]
        labels = {**series["metric"], "__name__": "kept", "number": str(number)}
        storage.add(labels, [(round(time * 1000), float(text)) for time, text in points])
    query = 'label_replace(label_replace(kept, "number", "", "", ""), "__name__", "", "", "")'
    if any("__name__" in series["metric"] for series in data["result"]):
        name_of_all = data["result"][0]["metric"]["__name__"]
        query = f'label_replace(label_replace(kept, "number", "", "", ""), "__name__", "{name_of_all}", "", "")'
    engine = Engine(storage)
    if data["resultType"] == "matrix":
        result = engine.range(query, params["start"] * 1000, params["end"] * 1000, params["step"] * 1000)
    else:
        result = engine.instant(query, round(data["result"][0]["value"][0] * 1000) if data["result"] else 0)
    ours = json.loads(json.dumps(success(result)))
    assert ours == answer["body"]


def test_warnings_and_infos_stand_beside_the_data() -> None:
    storage = MemoryStorage()
    storage.add({"__name__": "temperature"}, [(0, 1.0), (1000, 2.0)])
    body = success(Engine(storage).instant("quantile(2, rate(temperature[5m]))", 1000))
    assert body["warnings"] == ["PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)"]
    assert body["infos"] == [
        'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "temperature" (1:18)'
    ]
    assert body["data"]["result"] == [{"metric": {}, "value": [1, "+Inf"]}]


def test_of_many_annotations_ten_are_said() -> None:
    storage = MemoryStorage()
    for number in range(14):
        storage.add({"__name__": f"gauge_{number}", "number": str(number)}, [(0, 1.0), (1000, 2.0)])
    body = success(Engine(storage).instant('rate({number=~".+"}[5m])', 1000))
    assert len(body["data"]["result"]) == 14
    assert len(body["infos"]) == 11
    assert body["infos"][-1] == "4 more info annotations omitted"


def test_a_query_that_is_too_fine_is_refused_as_prometheus_did_when_it_was_asked() -> None:
    answer = captured("prom_error_range_points")
    params = answer["request"]["params"]
    with pytest.raises(BadParameterError) as refused:
        Engine(MemoryStorage()).range(params["query"], params["start"] * 1000, params["end"] * 1000, params["step"] * 1000)
    assert failure(refused.value) == answer["body"]


@pytest.mark.parametrize(
    ("start", "end", "step", "error"),
    [
        (1000, 0, 1000, 'invalid parameter "end": end timestamp must not be before start time'),
        (0, 1000, 0, 'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer'),
        (
            0,
            1000,
            1000,
            'invalid parameter "query": invalid expression type "range vector" for range query, must be Scalar or instant Vector',
        ),
    ],
)
def test_times_and_types_that_no_range_query_has_are_refused(start: int, end: int, step: int, error: str) -> None:
    with pytest.raises(QueryError) as refused:
        Engine(MemoryStorage()).range("x[5m]", start, end, step)
    assert failure(refused.value) == {"status": "error", "errorType": "bad_data", "error": error}
