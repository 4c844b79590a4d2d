"""C6: who may ask the stack. By default this machine alone; where others may, those who know the token."""

from __future__ import annotations

import base64
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
import websockets.exceptions
from websockets.sync.client import connect

from otelkit_stack.__main__ import main
from otelkit_stack.access import Access, is_loopback_address
from otelkit_stack.commands.query import main as query
from otelkit_stack.errors import StackError
from otelkit_stack.testing import RunningStack, running_stack
from tests.stack.otlp_requests import span, traces
from tests.stack.test_process import ENVIRONMENT

# With `verify` the client reads the system's certificates for each request, which takes longer than the request.
get, send = partial(httpx.get, verify=False), partial(httpx.post, verify=False)

TOKEN = "correct-horse-battery-staple"
PATHS = ("/", "/-/ready", "/ready", "/traces/1", "/api/v1/query?query=up", "/loki/api/v1/labels", "/api/search", "/nowhere", "/style.css")
PROTECTED = {"Content-Type": "application/x-protobuf"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """As it is by default."""
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """With a token and a name, as where other machines may ask."""
    with running_stack(tmp_path_factory.mktemp("guarded"), access=Access.of(names=["Stack.Example"], token=TOKEN)) as running:
        yield running


def statuses(stack: RunningStack, path: str, hosts: list[str]) -> dict[str, int]:
    with httpx.Client(base_url=stack.url, verify=False) as client:
        return {host: client.get(path, headers={"Host": host}).status_code for host in hosts}


# --- Host and Origin ----------------------------------------------------------------------------------------------------


def test_names_of_this_machine_are_welcome(stack: RunningStack):
    hosts = ["localhost", "localhost:4318", "127.0.0.1", "127.0.0.1:9", "[::1]", "[::1]:4318", "LocalHost"]
    assert statuses(stack, "/-/ready", hosts) == dict.fromkeys(hosts, 200)


@pytest.mark.parametrize("path", ["/", "/-/ready", "/-/healthy", "/api/v2/traces/1", "/v1/traces", "/nowhere"])
def test_any_other_host_is_421_everywhere(stack: RunningStack, path: str):
    """C6: a site whose name resolves to 127.0.0.1 must not read traces through a browser."""
    names = ["evil.example", "evil.example:4318", "127.0.0.1.evil.example", "localhost.evil.example"]
    hosts = [*names, "127.0.0.1:x", "::1", "", "10.0.0.1", "0.0.0.0"]
    assert statuses(stack, path, hosts) == dict.fromkeys(hosts, 421)


def test_the_answer_to_another_host_says_how_to_ask(stack: RunningStack):
    answer = get(stack.url, headers={"Host": "stack.example:80"})
    assert answer.text == (
        'This stack does not answer for "stack.example:80". Open it as http://127.0.0.1 or http://localhost,'
        " or start it with --name NAME to have it answer to a name.\n"
    )


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1.evil.example", "http://10.0.0.1"])
def test_pages_of_other_sites_may_change_nothing(stack: RunningStack, origin: str):
    for path in ("/-/reload", "/-/flush", "/v1/traces", "/api/v1/query"):
        answer = send(stack.url + path, headers={"Origin": origin})
        assert (answer.status_code, origin in answer.text) == (403, True), path
    assert send(stack.url + "/-/flush", headers={"Origin": "http://localhost:3000"}).status_code == 204


def test_pages_of_other_sites_may_not_follow_lines(stack: RunningStack):
    address = stack.url.replace("http", "ws") + "/loki/api/v1/tail?query=%7Bservice_name%3D%22a%22%7D"
    with pytest.raises(websockets.exceptions.InvalidStatus) as refused, connect(address, origin="http://evil.example"):  # type: ignore[arg-type]
        pass
    assert refused.value.response.status_code == 403
    with connect(address, origin="http://localhost:3000"):  # type: ignore[arg-type]
        pass


# --- the token ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_page_and_apis_are_closed(guarded: RunningStack, path: str):
    """C6."""
    answer = get(guarded.url + path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="otelkit stack: the token is the password", Bearer realm="otelkit stack"'
    assert "OTEL_EXPORTER_OTLP_HEADERS" in answer.text
    assert TOKEN not in answer.text


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/metrics", "/v1/logs", "/-/flush", "/-/reload"])
def test_without_the_token_nothing_is_taken(guarded: RunningStack, path: str):
    assert send(guarded.url + path, content=b"", headers=PROTECTED).status_code == 401
    assert send(guarded.url + path, content=b"", headers=PROTECTED | {"Authorization": f"Bearer {TOKEN}"}).status_code in (200, 204)


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        TOKEN,
        f"Token {TOKEN}",
        "Bearer",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        "Bearer \N{LATIN SMALL LETTER E WITH ACUTE}",
        "Basic",
        "Basic %%%",
        "Basic " + base64.b64encode(TOKEN.encode()).decode(),
        "Basic " + base64.b64encode(f"{TOKEN}:".encode()).decode(),
    ],
)
def test_what_is_not_the_token_is_401(guarded: RunningStack, authorization: str):
    headers = {"Authorization": authorization.encode("latin-1")}
    assert get(guarded.url + "/-/ready", headers=headers).status_code == 401  # type: ignore[arg-type]


def test_the_token_opens_everything_as_bearer_and_as_password(guarded: RunningStack):
    for path in ("/", "/-/ready", "/api/v1/labels", "/style.css"):
        assert get(guarded.url + path, headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200
        assert get(guarded.url + path, auth=("anybody", TOKEN)).status_code == 200


def test_a_probe_needs_no_token_but_a_host(guarded: RunningStack):
    assert get(guarded.url + "/-/healthy").status_code == 200
    assert get(guarded.url + "/-/healthy", headers={"Host": "evil.example"}).status_code == 421


def test_lines_are_followed_with_the_token_only(guarded: RunningStack):
    address = guarded.url.replace("http", "ws") + "/loki/api/v1/tail?query=%7Bservice_name%3D%22a%22%7D"
    with pytest.raises(websockets.exceptions.InvalidStatus) as refused, connect(address):
        pass
    assert refused.value.response.status_code == 403
    with connect(address, additional_headers={"Authorization": f"Bearer {TOKEN}"}):
        pass


def test_a_stack_answers_to_the_name_it_was_given(guarded: RunningStack):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    asked = {host: get(guarded.url + "/-/ready", headers=headers | {"Host": host}).status_code for host in ("stack.example:1", "other")}
    assert asked == {"stack.example:1": 200, "other": 421}


def test_an_exporter_sends_the_token_in_the_variable_that_opentelemetry_has(guarded: RunningStack):
    """What the refusal says works: the header of OTEL_EXPORTER_OTLP_HEADERS, percent-encoded."""
    program = f"""
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint="{guarded.url}/v1/traces")))
provider.get_tracer("t").start_span("with a token").end()
provider.shutdown()
"""
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="needs opentelemetry-exporter-otlp-proto-http")
    environment = ENVIRONMENT | {"OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer%20{TOKEN}"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    guarded.flush()
    assert "with a token" in [trace.name for trace in guarded.queries.newest_traces()]


def test_the_commands_take_the_token_from_the_variable(
    guarded: RunningStack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("OTELKIT_STACK_TOKEN", raising=False)
    assert query(["--url", guarded.url, "vector(1)"]) == 1
    assert "OTELKIT_STACK_TOKEN" in capsys.readouterr().err
    monkeypatch.setenv("OTELKIT_STACK_TOKEN", TOKEN)
    assert query(["--url", guarded.url, "--json", "vector(1)"]) == 0
    assert TOKEN not in capsys.readouterr().out


# --- when there is one --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listen", "expected"), [("127.0.0.1", True), ("127.0.0.2", True), ("::1", True), ("0.0.0.0", False), ("::", False)]
)
def test_only_this_machine_reaches_the_loopback(listen: str, expected: bool):
    assert is_loopback_address(listen) is expected


@pytest.mark.parametrize("access", [Access.of("0.0.0.0"), Access.of("192.0.2.1"), Access.of("::"), Access.of(names=["stack.example"])])
def test_where_others_may_ask_there_is_always_a_token(access: Access):
    assert access.is_made_up
    assert len(access.token) == 32
    assert access.token not in repr(access)
    assert not access.admits("")
    assert access.admits(f"Bearer {access.token}")


def test_every_run_makes_another_token():
    assert Access.of("0.0.0.0").token != Access.of("0.0.0.0").token


def test_this_machine_alone_needs_no_token_but_may_have_one():
    assert (Access.of().token, Access.of("::1").token) == ("", "")
    assert Access.of(token=TOKEN).token == TOKEN
    assert not Access.of("0.0.0.0", token=TOKEN).is_made_up


def test_on_all_addresses_a_stack_answers_to_each_but_to_no_name_it_does_not_know():
    access = Access.of("0.0.0.0", names=["stack.example"])
    hosts = ("10.0.0.7:4318", "[2001:db8::1]:4318", "localhost", "stack.example", "evil.example", "10.0.0.7.evil.example")
    assert [access.knows(host) for host in hosts] == [True, True, True, True, False, False]


@pytest.mark.parametrize(
    "token",
    ["short", "x" * 15, "has a space in its middle", "umlauts-are-not-ascii-\N{LATIN SMALL LETTER U WITH DIAERESIS}", "a" * 20 + "\n"],
)
def test_a_token_that_cannot_be_one_is_said_without_saying_it(token: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys):
    monkeypatch.setenv("OTELKIT_STACK_TOKEN", token)
    assert main(["--data", str(tmp_path), "--port", "0"]) == 1
    said = capsys.readouterr().err
    assert "The token in OTELKIT_STACK_TOKEN must be 16 or more" in said
    assert token not in said


def test_an_address_that_is_none_is_one_sentence(tmp_path: Path, capsys):
    assert main(["--data", str(tmp_path), "--listen", "everywhere", "--port", "0"]) == 1
    assert capsys.readouterr().err == (
        "otelkit stack: 'everywhere' is no IP address to listen on."
        " Give one of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them.\n"
    )
    assert main(["--data", str(tmp_path), "--listen", "192.0.2.1", "--port", "0"]) == 1
    assert "192.0.2.1 is no address of this machine" in capsys.readouterr().err


def test_a_broken_address_is_no_access():
    with pytest.raises(StackError, match="is no IP address"):
        Access.of("localhost:4318")


def test_a_made_token_is_printed_once_and_requests_leave_no_trace_of_it(tmp_path: Path):
    """C6: whoever starts it reads the token; nobody reads it later."""
    command = [sys.executable, "-m", "otelkit_stack", "--data", str(tmp_path), "--port", "0", "--name", "stack.example"]
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "OTELKIT_STACK_TOKEN"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            started = re.match(r"otelkit stack: (http://\S+) ", process.stdout.readline())
            told = re.fullmatch(
                r"otelkit stack: its token is (\S{32})  \(of this run; OTELKIT_STACK_TOKEN chooses one\)\n", process.stdout.readline()
            )
            assert started
            assert told
            url, token = started[1], told[1]
            headers = {"Authorization": f"Bearer {token}"}
            assert get(url + "/", headers=headers).status_code == 200
            assert get(url + "/", headers={"Authorization": f"Bearer {token}x"}).status_code == 401
            body = traces(span("00f067aa0ba902b7")).SerializeToString()
            assert send(url + "/v1/traces", content=body, headers=headers | PROTECTED).status_code == 200
        finally:
            process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=15)
    assert (process.returncode, rest, errors) == (0, "otelkit stack: stopping\n", "")
    assert token.encode() not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_a_chosen_token_is_not_printed(tmp_path: Path):
    command = [sys.executable, "-m", "otelkit_stack", "--data", str(tmp_path), "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT | {"OTELKIT_STACK_TOKEN": TOKEN}
    ) as process:
        try:
            assert process.stdout is not None
            started = process.stdout.readline()
            url = started.split()[2]
            assert get(url + "/-/ready").status_code == 401
            answer = get(url + "/api/v1/status/flags", headers={"Authorization": f"Bearer {TOKEN}"})
            assert TOKEN not in json.dumps(answer.json())
        finally:
            process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=15)
    assert TOKEN not in started + rest + errors
