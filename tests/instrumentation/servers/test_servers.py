"""Every server that A3 names, as it really runs."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.instrumentation.servers.running import Received, load, running
from tests.instrumentation.servers.table import EVERY_SERVER, EVERY_SERVER_THAT_ENDS_IN_ORDER, Server
from tests.receivers import receiver


@pytest.mark.parametrize("server", EVERY_SERVER)
def test_a_request_is_one_span_one_sample_and_one_line(server: Server, tmp_path):
    """A3, B3: exactly, from each worker, and all of it has left when the server has.

    A5: on an event loop our middlewares add no hop to a thread, so that a project without others has none.
    B7: in threads, greenlets and tasks that take turns in the middle of their requests, none sees the trace of another.
    """
    with receiver() as receiving:
        with running(server, tmp_path, receiving.endpoint) as served:
            served.wait_until_ready(server.workers)
            traces = [secrets.token_hex(16) for _ in range(24)]
            with ThreadPoolExecutor(8) as clients:
                assert list(clients.map(served.ask, server.paths * 24, traces)) == [trace.encode() for trace in traces]
            if server.is_async:
                assert {served.ask("/async/hops") for _ in range(4)} == {b"0"}
                assert served.ask("/async/hop") == b"1"
            served.stop()
        got = Received(receiving)
        assert got.spans_by_trace() == served.access_lines == dict.fromkeys(served.answered, 1), served.end
        # Forked workers that share the state of their random numbers would share these, too.
        assert len({span.span_id for span, _ in got.spans()}) == len(served.answered)
        assert got.total("http.server.request.duration") == len(served.answered)
        # Nobody but the workers has sent anything, and they have the first slots.
        assert got.slots() == served.slots == {str(slot) for slot in range(server.workers)}
        assert len(served.start_lines) == (1 if server.loaded_once else server.workers)
        assert got.total("http.server.active_requests") == got.total("worker.pool.busy") == 0
        assert got.total("worker.pool.size") == (server.capacity or 0)
        assert got.labels("worker.pool.busy", "server") == ({server.label} if server.label else set())
        assert "Traceback" not in served.text


@pytest.mark.parametrize("server", EVERY_SERVER_THAT_ENDS_IN_ORDER)
def test_what_was_answered_is_not_lost_when_the_server_ends_under_load(server: Server, tmp_path):
    """B3."""
    with receiver() as receiving:
        with running(server, tmp_path, receiving.endpoint) as served:
            served.wait_until_ready(server.workers)
            with load(served, "/async/work" if server.is_async else "/work"):
                enough = len(served.answered) + 40
                while len(served.answered) < enough and served.process.poll() is None:
                    served.asks("/work")
                served.stop()
        spans = Received(receiving).spans_by_trace()
        assert set(served.answered) - set(spans) == set(), served.end
        assert set(spans.values()) == {1}
