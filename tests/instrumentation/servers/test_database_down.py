"""A24: a database that does not answer is not our business: the application starts, `check` passes, and nobody is told twice."""

from __future__ import annotations

import subprocess
import sys
from urllib.error import HTTPError

import pytest

from tests.backends import free_port
from tests.instrumentation.servers.running import Received, environment_of, running
from tests.instrumentation.servers.table import named
from tests.receivers import receiver


def down(*, pool: bool) -> dict[str, str]:
    """The environment of a project whose PostgreSQL refuses connections."""
    pytest.importorskip("psycopg", reason="psycopg is not installed; it comes with otelkit[postgres].")
    return {"SHOP_DATABASE": f"127.0.0.1:{free_port()}", "SHOP_POOL": "1" if pool else ""}


def test_check_passes(tmp_path):
    """A24."""
    command = [sys.executable, "-m", "django", "check", "--deploy"]
    settings = {"DJANGO_SETTINGS_MODULE": "tests.instrumentation.servers.shop.settings"}
    environ = environment_of(tmp_path, "http://127.0.0.1:1", {**down(pool=True), **settings})
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "OperationalError" not in done.stderr


@pytest.mark.parametrize("name", ["gunicorn sync --preload", "uvicorn"])
def test_the_application_starts_and_serves_what_needs_no_database(name: str, tmp_path):
    """A24: what needs it fails as it would without the kit, once, and is recorded."""
    server = named(name)
    with receiver() as receiving:
        with running(server, tmp_path, receiving.endpoint, down(pool=server.is_async)) as served:
            served.wait_until_ready(server.workers)
            assert served.ask("/hello") == b"hello"
            assert [line for line in served.lines if line["level"] in ("warning", "error")] == []
            with pytest.raises(HTTPError) as raised:
                served.ask("/query")
            assert raised.value.code == 500
            raised.value.close()
            served.stop()
        got = Received(receiving)
        (failed,) = [span for span, _ in got.spans() if span.name == "GET /query"]
        assert failed.status.code == failed.status.STATUS_CODE_ERROR
        assert got.total("errors.captured") == 1
        complaints = [line["logger"] for line in served.lines if line["level"] in ("warning", "error")]
        # Of ours only the request's own line, and Django's with the stack; a pool complains by itself.
        assert [logger for logger in complaints if not logger.startswith("psycopg")] == ["django.request", "otelkit.access"], served.end
