"""Work that goes beyond the process, up to where it would leave: a call, a cache and a broker whose other side is in memory.

So what is counted is the library and what follows it, and no socket.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from opentelemetry import context, trace

if TYPE_CHECKING:
    from tests.benchmarks.works import Supply

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://cache.example:6379/0",
        "OPTIONS": {"pool_class": f"{__name__}.make_pool"},
    }
}
"""The setting of a project whose Redis is below."""


def enter_span() -> None:
    """What follows happens within a span, as it does in a request."""
    context.attach(trace.set_span_in_context(trace.get_tracer("benchmark").start_span("checkout")))


# --- a call to another service, by requests ---------------------------------------------------------------------------


def outbound_calls() -> Supply:
    """One GET of a session that is kept, answered with a few bytes of JSON."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3 import HTTPHeaderDict, HTTPResponse

    class Pool:
        """What urllib3 would answer, below everybody who follows requests."""

        def urlopen(self, **_: Any) -> HTTPResponse:
            headers = HTTPHeaderDict({"Content-Type": "application/json", "Content-Length": "15", "Server": "gunicorn"})
            return HTTPResponse(io.BytesIO(b'{"stock": "12"}'), headers, 200, reason="OK", preload_content=False)

    class Adapter(HTTPAdapter):
        def get_connection_with_tls_context(self, *_: Any, **__: Any) -> Any:
            return Pool()

    session = requests.Session()
    session.trust_env = False  # its environment is read anew for each call, and is as long as whoever measures has it
    session.mount("http://", Adapter())
    enter_span()

    def call(number: int) -> None:
        answer = session.get(f"http://stock.example:8000/items/{number % 1000}")
        if answer.status_code != 200:
            raise RuntimeError(f"The measured call was answered {answer.status_code}.")

    return lambda _: call


# --- a value from Django's cache in Redis -----------------------------------------------------------------------------


def cache_gets() -> Supply:
    """One value that is there."""
    from django.core.cache import cache

    enter_span()

    def get(number: int) -> None:
        if cache.get(f"item-{number % 1000}") != 12:
            raise RuntimeError("The measured cache gave something else.")

    return lambda _: get


class make_pool:  # noqa: N801  (Django asks it for `from_url`, as it would a class)
    """Makes a pool of connections to a Redis that answers every command with 12."""

    @staticmethod
    def from_url(url: str, **options: Any) -> Any:
        import redis
        from redis.connection import AbstractConnection

        class Connection(AbstractConnection):
            def repr_pieces(self) -> list[tuple[str, Any]]:
                return []

            def _connect(self) -> None:
                raise RuntimeError("Nothing is to be connected.")

            def _host_error(self) -> str:
                return "nobody"

            def connect(self, *_: Any, **__: Any) -> None:
                """There it is."""

            def can_read(self, *_: Any, **__: Any) -> bool:
                return False

            def send_packed_command(self, *_: Any, **__: Any) -> None:
                """Goes nowhere."""

            def read_response(self, *_: Any, **__: Any) -> Any:
                return b"12"

        pool = redis.ConnectionPool.from_url(url, **options)
        pool.connection_class = Connection
        for name in ("host", "port"):
            pool.connection_kwargs.pop(name, None)
        return pool


# --- a task of Celery -------------------------------------------------------------------------------------------------


def tasks() -> Supply:
    """One task that is sent to a broker in memory, taken from it, and run, as a worker does it."""
    from celery import Celery
    from celery.worker.request import Request

    app = Celery("shop", broker="memory://")
    app.conf.update(task_default_queue="mail", task_ignore_result=True, worker_hijack_root_logger=False)

    @app.task(name="mail.send")
    def send(order: int) -> int:
        return order

    app.finalize()
    queue, task = app.connection_for_read().channel(), app.tasks["mail.send"]
    enter_span()

    def send_and_run(number: int) -> None:
        send.delay(number)
        message = queue.basic_get("mail", no_ack=True)
        Request(message, app=app, task=task, hostname="worker@shop").execute()

    return lambda _: send_and_run
