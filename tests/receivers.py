"""Receivers that misbehave on purpose: what an exporter meets in real life, on loopback."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


@dataclass
class Receiver:
    """One OTLP/HTTP receiver; ``answer`` may be changed while it runs."""

    answer: Callable[[int], tuple[int, dict[str, str], bytes]]
    endpoint: str = ""
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, count: int, timeout: float = 10) -> None:
        """Until that many requests have arrived. Fails after ``timeout`` seconds."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.requests) >= count, timeout), f"{len(self.requests)} of {count} requests arrived"


@dataclass(frozen=True)
class Certificate:
    """A self-signed one, and its key, as PEM files."""

    path: str
    key: str


@contextmanager
def receiver(
    status: int = 200,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    certificate: Certificate | None = None,
    clients: Certificate | None = None,
) -> Iterator[Receiver]:
    """A receiver that gives everyone this answer, until ``answer`` is replaced.

    With a certificate it speaks TLS; with ``clients`` only to those who show that certificate.
    """
    running = Receiver(lambda _: (status, headers or {}, body))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            with running.arrived:
                running.requests.append((self.path, dict(self.headers), content))
                number = len(running.requests)
                running.arrived.notify_all()
            code, extra, answer = running.answer(number)
            self.send_response(code)
            for name, value in {"Content-Length": str(len(answer)), **extra}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Silent: the test reads `requests`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    running.endpoint = f"http://127.0.0.1:{server.server_port}"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.path, certificate.key)
        if clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(clients.path)
        # Without a handshake in accept(), where one client that breaks it off would end the server.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # the test says what the client thinks of it
        running.endpoint = running.endpoint.replace("http:", "https:")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def hanging_receiver() -> Iterator[str]:
    """Accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def answering(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A receiver that reads a request and then says whatever ``talk`` says, for as long as it likes."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    threading.Thread(target=converse, args=(connection,), daemon=True).start()

        def converse(connection: socket.socket) -> None:
            with suppress(OSError), connection:
                connection.recv(65_536)
                talk(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)


def refused_endpoint() -> str:
    """An address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    return f"http://127.0.0.1:{port}"


@contextmanager
def dripping_receiver(beginning: bytes = b"HTTP/1.1 200 OK\r\n") -> Iterator[str]:
    """Answers ``beginning`` at once and then a byte every 20 ms, for ever: no single read takes long."""
    ended = threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.sendall(beginning)
            while not ended.wait(0.02):
                connection.sendall(b"x")

    def listen() -> None:
        while True:
            connection, _ = listening.accept()
            if ended.is_set():
                connection.close()
                return
            threads.append(threading.Thread(target=answer, args=(connection,)))
            threads[-1].start()

    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        threads = [threading.Thread(target=listen)]
        threads[0].start()
        address = listening.getsockname()
        try:
            yield f"http://127.0.0.1:{address[1]}"
        finally:
            ended.set()
            socket.create_connection(address).close()  # so that accept() returns
            for thread in threads:
                thread.join()


def certificate_for(name: str, folder: Path) -> Certificate:
    """A self-signed certificate for a subjectAltName like ``IP:127.0.0.1``. Skips the test where there is no openssl."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not on PATH; it makes the certificate of this test")
    folder.mkdir(exist_ok=True)
    made = Certificate(str(folder / "certificate.pem"), str(folder / "key.pem"))
    subject = ["-subj", "/CN=receiver", "-addext", f"subjectAltName={name}"]
    command = [program, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", made.key, "-out", made.path, *subject]
    subprocess.run([*command, "-days", "1"], check=True, capture_output=True)
    return made
