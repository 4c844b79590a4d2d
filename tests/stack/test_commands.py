"""``otelkit query`` and ``otelkit tail``: a stack asked from the shell."""

from __future__ import annotations

import http.server
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Metric, NumberDataPoint

from otelkit.cli import main
from otelkit_stack.commands.languages import language_of
from otelkit_stack.commands.tables import printable, sparkline, table
from otelkit_stack.testing import RunningStack, running_stack
from tests.stack.captured import captured
from tests.stack.otlp_requests import any_value, key_values, logs, metrics, post

MINUTE_NS = 60_000_000_000


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Half an hour of a rising and a level gauge, and three lines, one of which would clear the screen."""
    now_ns = time.time_ns()  # of the first test here, as the commands ask about now
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        for back in range(30, -1, -1):
            points = [
                NumberDataPoint(time_unix_nano=now_ns - back * MINUTE_NS, as_double=value, attributes=key_values({"colour": colour}))
                for colour, value in (("red", 30.0 - back), ("blue", 5.0))
            ]
            post(running.url, metrics(Metric(name="balls", gauge=Gauge(data_points=points))))
        texts = ("paid", "failed\x1b[2J\nin two lines", "paid again")
        records = [
            LogRecord(time_unix_nano=now_ns - 1_000_000_000 * (3 - at), severity_number=9, body=any_value(text))
            for at, text in enumerate(texts)
        ]
        post(running.url, logs(*records))
        running.flush()
        yield running


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main([*arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_series_are_a_table_with_their_last_hour_drawn(stack: RunningStack, capsys: pytest.CaptureFixture[str]):
    code, out, _ = run(capsys, "query", "sum by (colour) (balls)", "--url", stack.url)
    header, *rows = out.splitlines()
    assert code == 0
    assert header.split() == ["colour", "value", "last", "1h"]
    drawn = {row.split()[0]: (row.split()[1], row.split()[-1]) for row in rows}
    assert drawn["blue"][0] == "5"
    assert set(drawn["blue"][1]) == {"▁"}
    assert (drawn["red"][0], drawn["red"][1][0], drawn["red"][1][-1]) == ("30", "▁", "█")
    assert [*drawn["red"][1]] == sorted(drawn["red"][1])


def test_lines_are_printed_by_time_and_cannot_move_the_cursor(stack: RunningStack, capsys: pytest.CaptureFixture[str]):
    _, out, _ = run(capsys, "query", '{service_name="orders"}', "--url", stack.url)
    rows = out.splitlines()
    assert [row.partition("info   ")[2] for row in rows] == ["paid", "failed�[2J in two lines", "paid again"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}  orders  info   paid", rows[0])
    assert run(capsys, "query", '{service_name="orders"} |= "nope"', "--url", stack.url)[1] == "No lines in the last 1h.\n"


def test_numbers_of_logs_and_answers_as_json(stack: RunningStack, capsys: pytest.CaptureFixture[str]):
    query = 'sum by (service_name) (count_over_time({service_name=~".+"}[10m]))'
    _, out, _ = run(capsys, "query", query, "--url", stack.url)
    assert out.splitlines()[1].split()[:2] == ["orders", "3"]
    _, out, _ = run(capsys, "query", "balls", "--json", "--url", stack.url)
    assert {series["metric"]["colour"] for series in json.loads(out)["data"]["result"]} == {"red", "blue"}
    assert run(capsys, "query", "1 + 1", "--url", stack.url)[1] == "2\n"
    assert run(capsys, "query", "nothing", "--url", stack.url)[1] == "No series.\n"
    assert run(capsys, "query", 'balls{colour="red"}[2m]', "--url", stack.url)[1].count("colour=red") == 2


@pytest.mark.parametrize(
    ("query", "language"),
    [
        ("up", "promql"),
        ('sum(rate(a_total{b="c"}[5m])) / 2', "promql"),
        ("1 + 1", "promql"),
        ('{__name__="up"}', "promql"),
        ('{service_name="orders"}', "logql"),
        ('{service_name="orders"} |= "x" | json', "logql"),
        ('sum by (a) (rate({a="b"}[5m]))', "logql"),
        ('{ resource.service.name = "orders" && duration > 1s }', "traceql"),
        ("{ span.http.route =~ `/orders.*` } | rate()", "traceql"),
        ("{ status = error } >> { .a = 1 }", "traceql"),
        ("{}", "traceql"),
        ('{a="b"} | nope', "logql"),
        ("sum(", "promql"),
    ],
)
def test_the_language_is_recognised(query: str, language: str):
    assert language_of(query) == language


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sum(",), "parse error: unclosed left parenthesis"),
        (('{a="b"} | nope',), "parse error"),
        (("up", "--url", "http://127.0.0.1:9"), "Nothing answers at http://127.0.0.1:9"),
        (("up", "--url", "ftp://x"), "--url ftp://x begins neither with http:// nor with https://."),
    ],
)
def test_what_goes_wrong_is_one_sentence(stack: RunningStack, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str):
    code, out, err = run(capsys, "query", *(("--url", stack.url) if "--url" not in arguments else ()), *arguments)
    assert (code, out) == (1, "")
    assert err.startswith("otelkit query: ")
    assert said in err


def test_tail_prints_what_was_and_what_comes(stack: RunningStack):
    command = [sys.executable, "-m", "otelkit_stack.commands.tail", '{service_name="paging"}', "--url", stack.url]
    post(stack.url, logs(LogRecord(time_unix_nano=time.time_ns(), body=any_value("before")), resource={"service.name": "paging"}))
    stack.flush()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().endswith("before\n")
            post(stack.url, logs(LogRecord(time_unix_nano=time.time_ns(), body=any_value("now")), resource={"service.name": "paging"}))
            assert process.stdout.readline().endswith("now\n")
        finally:
            process.kill()


def test_tail_of_numbers_says_why_not(stack: RunningStack, capsys: pytest.CaptureFixture[str]):
    code, _, err = run(capsys, "tail", 'rate({a=~".+"}[1m])', "--url", stack.url)
    assert (code, err.splitlines()[-1]) == (1, "otelkit tail: only log queries are supported for tailing")
    assert "Nothing can be followed at http://127.0.0.1:9" in run(capsys, "tail", "--url", "http://127.0.0.1:9")[2]


def test_tables_and_sparklines():
    assert table(["a", "b", "n"], [["x", "", "1"], ["yy", "", "23"]], right=["n"]) == "a    n\nx    1\nyy  23"
    assert sparkline([0, 1, float("nan"), 2, 7]) == "▁▂ ▃█"
    assert (sparkline([]), sparkline([float("nan")]), sparkline([3, 3])) == ("", "", "▁▁")
    assert sparkline([-1.7e308, 1.7e308]) == "▁█"
    assert printable("a\tb\x07") == "a b�"


@contextmanager
def tempo() -> Iterator[str]:
    """What answers as a real Tempo answered."""
    answers = {"/api/search": "tempo_search_traceql", "/api/metrics/query_range": "tempo_metrics_query_range"}
    bodies = {path: json.dumps(captured(name)["body"]).encode() for path, name in answers.items()}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(bodies[self.path.partition("?")[0]])

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_traces_and_numbers_of_traces_are_shown_as_tempo_answers_them(capsys: pytest.CaptureFixture[str]):
    with tempo() as url:
        _, found, _ = run(capsys, "query", '{ resource.service.name = "shop" && status = error }', "--url", url)
        _, numbers, _ = run(capsys, "query", '{ resource.service.name = "shop" } | rate() by (span.http.route)', "--url", url)
    header, first, *_ = found.splitlines()
    assert header.split() == ["trace", "start", "service", "name", "duration"]
    assert first.split()[0] == "1951919b27098463aecd1599073bd83c"
    assert first.endswith("shop     GET fail/     14 ms")
    (failing,) = [line for line in numbers.splitlines() if "fail/" in line]
    assert failing.split()[:2] == ["span.http.route=fail/", "2.05"]
    assert failing.endswith("█")
