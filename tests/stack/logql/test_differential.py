"""The stack beside a real Loki: the same records to both, the same questions, the same answers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from otelkit_stack.testing import running_stack
from tests.backends import wait_until
from tests.stack.logql.generated import queries
from tests.stack.logql.loki import running_loki
from tests.stack.logql.records import SECOND_NS, logs_of_two_services
from tests.stack.otlp_requests import PROTOBUF

pytestmark = pytest.mark.backends

WRITTEN = [line for line in (Path(__file__).parent / "queries.txt").read_text().splitlines() if line and not line.startswith("#")]
GENERATED = queries(220)


@dataclass(frozen=True, slots=True)
class Pair:
    ours: str
    theirs: str
    start_ns: int

    def answers(self, query: str) -> tuple[object, object]:
        """What each of the two says, in an order that does not depend on theirs."""
        parameters = {
            "query": query,
            "start": str(self.start_ns - 60 * SECOND_NS),
            "end": str(self.start_ns + 120 * SECOND_NS),
            "step": "30",
            "limit": "1000",
        }
        ours, theirs = (httpx.get(f"{url}/loki/api/v1/query_range", params=parameters, timeout=60) for url in (self.ours, self.theirs))
        return _comparable(ours), _comparable(theirs)


def _comparable(answer: httpx.Response) -> object:
    if answer.status_code != 200:
        # Loki names whichever series it met first.
        return answer.status_code, answer.text.partition(" for series")[0].strip()
    data = answer.json()["data"]
    if data["resultType"] == "streams":
        return sorted((sorted(stream["stream"].items()), stream["values"]) for stream in data["result"])
    return sorted(
        (sorted(series["metric"].items()), [(at, f"{float(value):.9g}") for at, value in series["values"]]) for series in data["result"]
    )


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("loki")
    start_ns = (time.time_ns() // (60 * SECOND_NS) - 2) * 60 * SECOND_NS
    body = logs_of_two_services(start_ns).SerializeToString()
    with running_stack(folder / "stack") as stack, running_loki(folder) as loki:
        for url in (f"{stack.url}/v1/logs", f"{loki}/otlp/v1/logs"):
            httpx.post(url, content=body, headers={"Content-Type": PROTOBUF}).raise_for_status()
        stack.flush()
        found = Pair(stack.url, loki, start_ns)
        everything = '{service_namespace="shop"}'
        wait_until(lambda: len(found.answers(everything)[1]) == 60, 20, "Loki does not give back what it took")  # type: ignore[arg-type]
        yield found


@pytest.mark.parametrize("query", WRITTEN)
def test_a_written_query_is_answered_as_loki_answers_it(pair: Pair, query: str):
    ours, theirs = pair.answers(query)
    assert ours == theirs


def test_generated_queries_are_answered_as_loki_answers_them(pair: Pair):
    """More than two hundred, and enough of them find something."""
    differing, found = [], 0
    for query in GENERATED:
        ours, theirs = pair.answers(query)
        found += isinstance(theirs, list) and bool(theirs)
        if ours != theirs:
            differing.append((query, ours, theirs))
    assert differing == []
    assert found > len(GENERATED) / 2
