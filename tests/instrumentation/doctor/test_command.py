"""``otelkit doctor`` as a person types it, and as a program reads it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTracePartialSuccess, ExportTraceServiceResponse

from otelkit.cli import main
from otelkit.doctor import STEPS, Outcome
from otelkit.export.sender import Answer, HttpSender
from otelkit_stack.access import Access
from otelkit_stack.rows import Batch
from otelkit_stack.store import Store
from otelkit_stack.testing import running_stack
from tests.instrumentation.doctor.patients import ENDPOINT, Patient
from tests.instrumentation.shop import make, otelkit
from tests.receivers import hanging_receiver, receiver, refused_endpoint

README = Path(__file__).parents[3] / "instrumentation" / "README.md"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make(tmp_path)


def test_doctor_finds_its_request_again_in_the_stack(project, tmp_path):
    with running_stack(tmp_path / "stack") as stack:
        code, said = otelkit(project, "doctor", OTEL_EXPORTER_OTLP_ENDPOINT=stack.endpoint, OTEL_SERVICE_NAME="shop")
    assert code == 0, said
    assert [line[:4] for line in said.splitlines()] == ["PASS"] * 12 + ["----"]
    assert re.search(r"^PASS  read traces  trace [0-9a-f]{32} with 1 span$", said, re.MULTILINE)
    assert "PASS  read metrics http_server_request_duration_seconds_count of shop has the request's sample" in said
    assert re.search(r"^PASS  read logs    the marked line doctor-[0-9a-f]{8}$", said, re.MULTILINE)


def test_doctor_asks_a_stack_with_the_token_that_the_exporter_has(project, tmp_path):
    """The project's own header is one for another receiver; the variable wins."""
    token = "correct-horse-battery-staple"
    environment = {"OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer%20{token}", "OTEL_SERVICE_NAME": "shop"}
    with running_stack(tmp_path / "stack", access=Access.of(token=token)) as stack:
        code, said = otelkit(project, "doctor", OTEL_EXPORTER_OTLP_ENDPOINT=stack.endpoint, **environment)
        refused, why = otelkit(project, "doctor", OTEL_EXPORTER_OTLP_ENDPOINT=stack.endpoint, OTEL_SERVICE_NAME="shop")
    assert code == 0, said
    assert said.count("PASS  read ") == 3
    assert refused == 30
    assert "401" in why
    assert token not in said + why


@pytest.mark.parametrize(("signal", "part", "code"), [("traces", "spans", 40), ("metrics", "samples", 41), ("logs", "logs", 42)])
def test_what_a_stack_took_and_did_not_keep_fails_at_its_own_hop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signal: str, part: str, code: int
):
    submit = Store.submit

    def lose(store: Store, batch: Batch) -> None:
        setattr(batch, part, [])
        submit(store, batch)

    monkeypatch.setattr(Store, "submit", lose)
    with running_stack(tmp_path / "stack") as stack:
        patient = Patient(
            otelkit={"logs": {"exporters": ["otlp"]}, "service": {"name": "shop"}}, environ={ENDPOINT: stack.endpoint}, timeout=1.0
        )
        visit = patient.visit(monkeypatch)
    outcomes = visit.outcomes()
    assert [outcomes[name] for name in ("traces", "metrics", "logs")] == ["pass"] * 3
    expected = {"read traces": "pass", "read metrics": "pass", "read logs": "pass"} | {f"read {signal}": "fail"}
    assert {name: outcomes[name] for name in expected} == expected
    assert visit.code == code
    assert "The stack's log says why" in visit.of(f"read {signal}")


def test_doctor_finds_it_where_incoming_trace_headers_are_not_believed(project, tmp_path):
    """The service begins a trace of its own then, and keeps only a tenth of those; the doctor looks for that one."""
    environment = {"OTELKIT_REQUESTS_TRUST_INCOMING": "never", "OTEL_TRACES_SAMPLER_ARG": "0.1", "OTEL_SERVICE_NAME": "shop"}
    with running_stack(tmp_path / "stack") as stack:
        code, said = otelkit(project, "doctor", OTEL_EXPORTER_OTLP_ENDPOINT=stack.endpoint, **environment)
    assert code == 0, said
    assert said.count("PASS  read ") == 3


def test_doctor_does_not_wait_for_a_trace_where_it_cannot_be_read_back(project):
    """A collector answers 404 to the question, as the stack does for a trace it does not have yet; only the stack's is JSON."""

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Silent: the test reads `asked`."""

    asked: list[str] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        code, said = otelkit(project, "doctor", OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()
    assert code == 0, said
    assert said.count("the receiver is not the embedded stack") == 3
    assert len(asked) == 3


def test_the_fix_stands_below_what_failed(project):
    """E4, for a person: a dead collector, within a moment."""
    code, said = otelkit(project, "doctor", OTEL_EXPORTER_OTLP_ENDPOINT=refused_endpoint(), OTEL_SERVICE_NAME="shop")
    assert code == 30
    assert re.search(
        r"^FAIL  traces       http://127.0.0.1:\d+/v1/traces: the connection was refused\n {19}fix: Start a collector", said, re.MULTILINE
    )
    assert "Traceback" not in said
    assert "s3cr3t" not in said


def test_a_program_reads_hops_and_exit_code(project):
    code, said = otelkit(project, "doctor", "--json", OTEL_EXPORTER_OTLP_ENDPOINT=refused_endpoint())
    answer = json.loads(said)
    hops = {hop["name"]: hop for hop in answer["hops"]}
    assert (code, answer["exit_code"]) == (30, 30)
    assert hops["application"]["outcome"] == "pass"
    assert hops["checks"]["outcome"] == "warn"
    assert hops["logs"]["outcome"] == "fail"
    assert hops["logs"]["fix"].startswith("Start a collector there")


def test_manage_py_gives_the_same_exit_code(project):
    done = subprocess.run(
        [sys.executable, "manage.py", "otelkit", "doctor", "--timeout", "1"],
        cwd=project,
        env={"OTEL_EXPORTER_OTLP_ENDPOINT": refused_endpoint(), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 30, done.stderr
    assert "PASS  application" in done.stdout


def test_otelkit_auto_in_the_servers_entry_is_as_good_as_the_line(project):
    settings = project / "shop" / "settings.py"
    settings.write_text(settings.read_text().replace('["otelkit"]', "[]") + 'WSGI_APPLICATION = "shop.wsgi.application"\n')
    (project / "shop" / "wsgi.py").write_text("import otelkit.auto\nraise AssertionError('it is read, not run')\n")
    _, said = otelkit(project, "doctor", OTEL_EXPORTER_OTLP_ENDPOINT=refused_endpoint())
    assert "PASS  process      wsgi.py imports otelkit.auto" in said
    (project / "shop" / "wsgi.py").write_text("# no otelkit.auto here\n")
    code, said = otelkit(project, "doctor", OTEL_EXPORTER_OTLP_ENDPOINT=refused_endpoint())
    assert code == 11
    assert "FAIL  process" in said


def test_log_lines_do_not_stand_between_the_hops(project):
    """With DEBUG on Django prints that the page was not found."""
    settings = project / "shop" / "settings.py"
    settings.write_text(settings.read_text() + "DEBUG = True\n")
    _, said = otelkit(project, "doctor", OTEL_EXPORTER_OTLP_ENDPOINT=refused_endpoint())
    assert "Not Found" not in said
    assert all(line[:4] in ("PASS", "WARN", "FAIL", "----", "    ") for line in said.splitlines())


@pytest.mark.parametrize("timeout", ["soon", "0", "-1", "inf", "nan"])
def test_a_timeout_that_makes_no_sense_is_refused_in_a_sentence(timeout, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["doctor", f"--timeout={timeout}"])
    assert ended.value.code == 2
    assert f"argument --timeout: must be a number of seconds from 0.1 to 300; it is '{timeout}'" in capsys.readouterr().err


def test_whoever_does_not_answer_is_waited_for_once(monkeypatch):
    """Three signals at one silent address cost one timeout, not three."""
    waited: list[float] = []
    send = HttpSender.send

    def send_and_note(self: HttpSender, signal: str, body: bytes, timeout: float) -> Answer:
        waited.append(timeout)
        return send(self, signal, body, timeout)

    monkeypatch.setattr(HttpSender, "send", send_and_note)
    with hanging_receiver() as endpoint:
        visit = Patient(otelkit={"logs": {"exporters": ["otlp"]}}, environ={ENDPOINT: endpoint}, timeout=1.0).visit(monkeypatch)
    assert waited[0] == 1.0
    assert max(waited[1:]) <= 0.5
    assert [visit.outcomes()[signal] for signal in ("traces", "metrics", "logs")] == ["fail"] * 3


def test_what_the_receiver_says_is_passed_on(monkeypatch):
    """As a Collector answers: an OTLP failure is a google.rpc.Status in protobuf."""
    words = b"missing X-Scope-Org"
    status = b"\x08\x03\x12" + bytes([len(words)]) + words
    with receiver(400, {"Content-Type": "application/x-protobuf"}, status) as running:
        visit = Patient(environ={ENDPOINT: running.endpoint}).visit(monkeypatch)
    assert "it answered 400: missing X-Scope-Org" in visit.of("traces")


def test_a_warning_of_the_receiver_is_passed_on(monkeypatch):
    """OTLP: a partial success that refuses nothing is a warning."""
    body = ExportTraceServiceResponse(partial_success=ExportTracePartialSuccess(error_message="use a newer protocol")).SerializeToString()
    with receiver(body=body) as running:
        visit = Patient(environ={ENDPOINT: running.endpoint}).visit(monkeypatch)
    assert "took them, and says: use a newer protocol" in visit.of("traces", Outcome.WARN)
    assert visit.code == 0


def test_a_hop_that_fails_itself_does_not_hide_the_others(monkeypatch):
    """B6."""

    def breaks(*_: object) -> object:
        raise RuntimeError("planted")

    monkeypatch.setattr("otelkit.doctor.before.unsilenced", breaks)
    with receiver() as running:
        visit = Patient(environ={ENDPOINT: running.endpoint}).visit(monkeypatch)
    assert "otelkit doctor failed itself: RuntimeError: planted" in visit.of("checks")
    assert visit.outcomes()["traces"] == "pass"


def test_exit_codes_are_distinct_and_in_the_readme():
    codes = {step.name: step.exit_code for step in STEPS}
    assert len(set(codes.values())) == len(codes)
    assert all(2 < code < 126 for code in codes.values()), "1 and 2 are Python's and argparse's, from 126 on they are the shell's"
    assert {name: int(code) for name, code in re.findall(r"^\| `([a-z ]+)` \| (\d+) \|", README.read_text(), re.MULTILINE)} == codes
