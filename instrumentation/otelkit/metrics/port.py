"""``/metrics`` on a port of its own, on the loopback interface: away from the public address, and never traced."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from otelkit.metrics.access import is_admitted

logger = logging.getLogger("otelkit.metrics")

HOST = "127.0.0.1"
Page = Callable[[str], tuple[bytes, str]]


class MetricsPort:
    """Serves ``page`` at ``/metrics``; the first worker that comes has the port, and answers for all where workers share a folder."""

    def __init__(self, port: int, page: Page, token: str) -> None:
        self._port = port
        self._handler = _handler(page, token)
        self._server: ThreadingHTTPServer | None = None
        self._thread: Thread | None = None

    def start(self) -> None:
        """Binds the port; where another process has it, says so and goes on."""
        try:
            self._server = ThreadingHTTPServer((HOST, self._port), self._handler)
        except OSError as error:
            # Of several workers one has it, which is how it should be; anything else is worth a warning.
            level = logging.INFO if error.errno == errno.EADDRINUSE else logging.WARNING
            logger.log(level, "This worker does not serve metrics at %s:%d: %s.", HOST, self._port, error)
            return
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="otelkit-metrics", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Closes the port."""
        if self._server and self._thread:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
        self._server = self._thread = None

    def abandon(self) -> None:
        """In a child process: closes what was inherited, and leaves the parent's server alone."""
        if self._server:
            self._server.socket.close()
        self._server = self._thread = None


def _handler(page: Page, token: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5  # seconds; who connects and says nothing goes

        def do_GET(self) -> None:
            known = is_admitted(
                token, self.headers.get("Authorization", ""), self.client_address[0], is_forwarded="X-Forwarded-For" in self.headers
            )
            if not known or self.path.partition("?")[0] != "/metrics":
                self.send_error(404)
                return
            body, content_type = page(self.headers.get("Accept", ""))
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silent: a scrape every few seconds is no event."""

    return Handler
