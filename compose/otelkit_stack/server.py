"""The stack as a running server: store, receiver, APIs and page in one process, on one address."""

from __future__ import annotations

import errno
import signal
import socket
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from otelkit_stack import TOKEN_VARIABLE
from otelkit_stack.access import Access, Guard
from otelkit_stack.api.loki.routes import loki_routes
from otelkit_stack.api.prometheus.routes import prometheus_routes
from otelkit_stack.api.prometheus.rules import rule_routes
from otelkit_stack.api.routes import api_routes
from otelkit_stack.errors import StackError
from otelkit_stack.intake import Intake
from otelkit_stack.pages.routes import page_routes
from otelkit_stack.queries import Queries
from otelkit_stack.receiver.body import DEFAULT_LIMIT
from otelkit_stack.receiver.routes import Take, receiver_routes
from otelkit_stack.rules.engine import RuleEngine
from otelkit_stack.store import DAY_S, Store

DEFAULT_PORT = 4318
"""Where OpenTelemetry exporters send OTLP/HTTP unless told otherwise."""

_GRACE_S = 3
_BACKLOG = 128


def stack_app(
    store: Store,
    queries: Queries,
    rules: RuleEngine | None = None,
    *,
    take: Take | None = None,
    limit: int = DEFAULT_LIMIT,
    access: Access | None = None,
) -> Starlette:
    """The ASGI application. What it receives goes to ``take``, or straight to the store; ``limit`` is the size of a request in bytes.

    ``access`` says who may ask; this machine alone, if it is not given.
    """

    def unavailable(_request: Request, error: Exception) -> Response:
        return PlainTextResponse(str(error), 503)

    def unknown(_request: Request, _error: Exception) -> Response:
        return PlainTextResponse("404 page not found\n", 404)  # in the words of the programs whose APIs these are

    return Starlette(
        routes=[
            *receiver_routes(take or store.submit, limit),
            *loki_routes(store.file),
            *prometheus_routes(store, retention_s=store.retention_s),
            *(rule_routes(rules, queries) if rules else ()),
            *api_routes(store, queries),
            *page_routes(queries),
        ],
        middleware=[Middleware(Guard, access=access or Access())],
        exception_handlers={StackError: unavailable, 404: unknown},
    )


class StackServer:
    """The stack, running in threads of this process while the context is open; port 0 takes a free one.

    ``rules`` are files and folders of rules, ``alertmanagers`` the addresses that alerts are sent to, ``access`` says where to listen and
    who may ask. Raises StackError on entering, where the port or the database is taken, the folder cannot be used, or a rule file cannot be
    loaded.
    """

    def __init__(
        self,
        data: Path,
        port: int,
        *,
        limit: int = DEFAULT_LIMIT,
        retention_s: float | None = 7 * DAY_S,
        retention_bytes: int | None = None,
        rules: Sequence[Path] = (),
        alertmanagers: Sequence[str] = (),
        access: Access | None = None,
    ) -> None:
        self._data = data
        self._port = port
        self._limit = limit
        self._retention_s = retention_s
        self._retention_bytes = retention_bytes
        self._rules = rules
        self._alertmanagers = alertmanagers
        self.access = access or Access()

    def __enter__(self) -> Self:
        self._socket = _listening_socket(self.access.listen, self._port)
        with ExitStack() as undo:
            undo.callback(self._socket.close)
            # The writer's connection goes last: only it can fold the log into the database file.
            self.store = undo.enter_context(Store(self._data, retention_s=self._retention_s, retention_bytes=self._retention_bytes))
            self.queries = undo.enter_context(Queries(self.store.file))
            self.intake = undo.enter_context(Intake(self.store))
            engine = RuleEngine(self.store, self._rules, alertmanagers=self._alertmanagers, external_url=self.url)
            self.rules = undo.enter_context(engine)
            self._undo = undo.pop_all()
        # "off": no lifespan events are needed, and no logger is configured, so that the caller's own logging stays as it is.
        config = uvicorn.Config(
            stack_app(self.store, self.queries, self.rules, take=self.intake.take, limit=self._limit, access=self.access),
            lifespan="off",
            ws="websockets-sansio",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="otelkit-stack-server", daemon=True)
        self._thread.start()
        self.rules.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._undo.close()

    @property
    def url(self) -> str:
        """Where the page and the receiver are; the socket listens from the start, so that nobody has to wait."""
        listen = self.access.listen
        return f"http://{f'[{listen}]' if ':' in listen else listen}:{self._socket.getsockname()[1]}"

    def wait(self) -> None:
        """Return when SIGINT or SIGTERM arrives, or the server has ended. To be called from the main thread."""
        stopped = threading.Event()

        def stop(_number: int, _frame: FrameType | None) -> None:
            stopped.set()

        earlier = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            while self._thread.is_alive() and not stopped.wait(0.5):
                pass
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)


def serve(server: StackServer) -> None:
    """Run the stack until SIGINT or SIGTERM. Raises StackError where it cannot start."""
    with server:
        print(f"otelkit stack: {server.url}  (page and OTLP/HTTP receiver; data in {server.store.file})", flush=True)
        if server.access.is_made_up:  # said here and nowhere else
            print(f"otelkit stack: its token is {server.access.token}  (of this run; {TOKEN_VARIABLE} chooses one)", flush=True)
        server.wait()
        print("otelkit stack: stopping", flush=True)


def _listening_socket(listen: str, port: int) -> socket.socket:
    # Named as TCP, because asyncio sets TCP_NODELAY on no other socket, and each answer would wait 40 ms for an acknowledgement.
    family = socket.AF_INET6 if ":" in listen else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # A port that a stopped stack just left may be taken again at once.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((listen, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise StackError(f"Port {port} is taken. Stop what listens there, or choose another port with --port (0 for any).") from error
        if error.errno == errno.EADDRNOTAVAIL:
            raise StackError(
                f"{listen} is no address of this machine. Give --listen one that it has, or 0.0.0.0 for all of them."
            ) from error
        if error.errno == errno.EACCES:
            raise StackError(f"Port {port} needs the rights of an administrator. Choose one from 1024 on with --port.") from error
        raise StackError(f"Port {port} cannot be used: {error.strerror}. Choose another one with --port.") from error
    return listener
