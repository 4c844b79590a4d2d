"""Two ways to lines: by time, and, for a text that is rare, as they lie on the disk. They find the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from otelkit_stack.database import open_reader
from otelkit_stack.logql import reading
from otelkit_stack.logql.parsing import parse
from otelkit_stack.logql.reading import Lines
from otelkit_stack.rows import Batch, LogRow, ResourceRow, ScopeRow, content_id, json_text
from otelkit_stack.store import Store

COUNT = 400
QUERIES = (
    '{service_name=~".+"} |= "rare"',
    '{service_name="orders"} |= "rare"',
    '{service_name=~".+"} |= "rare" |= "7"',
    '{service_name=~".+"} |= "rare" != "7"',
    '{service_name=~".+"} |= "common"',
    '{service_name=~".+"} |= "nowhere"',
    '{service_name=~".+"} | json | line_format "{{.x}}" |= "rare"',
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Lines of two services that arrived out of order; several have the same time."""
    order = [*range(COUNT)]
    random.Random(1).shuffle(order)
    services = [ResourceRow(content_id(name), name, json_text({"service.name": name})) for name in ("orders", "payments")]
    scope = ScopeRow(content_id("otelkit"), "otelkit", "0.1", "{}")
    batch = Batch({row.id: row for row in services}, {scope.id: scope})
    for number in order:
        row = services[number % 3 == 0]
        body = f"{'rare' if number % 20 == 0 else 'common'} line {number}"
        batch.logs.append(
            LogRow(1_000 + number // 2, 9, "INFO", body, "", None, None, row.id, scope.id, row.service, "{}", "INFO", 1_000, 0)
        )
    with Store(tmp_path_factory.mktemp("lines"), retention_s=None) as store:
        store.submit(batch)
        store.flush()
        yield store.file


def found(file: Path, query: str, after_ns: int, until_ns: int, *, newest_first: bool) -> list[tuple[int, str]]:
    connection = open_reader(file)
    try:
        parsed = parse(query)
        return [(line.time_ns, line.text) for line in Lines(connection).read(parsed, after_ns, until_ns, newest_first=newest_first)]  # type: ignore[arg-type]
    finally:
        connection.close()


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize(("after_ns", "until_ns"), [(0, 5_000), (1_050, 1_170), (1_190, 1_195)])
def test_both_ways_find_the_same_lines_in_the_same_order(
    file: Path, query: str, newest_first: bool, after_ns: int, until_ns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_time = found(file, query, after_ns, until_ns, newest_first=newest_first)
    monkeypatch.setattr(reading, "_WORTH_A_SCAN", 1)
    assert found(file, query, after_ns, until_ns, newest_first=newest_first) == by_time
    monkeypatch.setattr(reading, "_FEW", 5)  # so that there are too many for a look-up of each
    assert found(file, query, after_ns, until_ns, newest_first=newest_first) == by_time


def test_a_scan_stops_at_the_first_lines_too_many(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_WORTH_A_SCAN", 1)
    monkeypatch.setattr(reading, "_FEW", 5)
    connection = open_reader(file)
    try:
        assert Lines(connection)._few_with(["common"], 0, 5_000) is None
        assert Lines(connection)._few_with(["line 40"], 0, 5_000) is not None
        assert Lines(connection)._few_with(["line 40"], 1_190, 1_195) is None, "a short time is read by its index"
    finally:
        connection.close()
