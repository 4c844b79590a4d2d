"""Real Redis and RabbitMQ for tests: in a folder of their own, on ports of 127.0.0.1 that were free, stopped by their pid."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.backends import free_port, wait_until

_READY_SECONDS = 120.0


@dataclass
class RealBroker:
    """A running server that can be ended and come back with what it had."""

    address: str
    _launch: Callable[[], subprocess.Popen[bytes]]
    _answers: Callable[[], bool]
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        process = self._process = self._launch()
        wait_until(lambda: process.poll() is not None or self._answers(), _READY_SECONDS, f"{self.address} does not answer")
        assert process.poll() is None, f"the server of {self.address} ended with {process.returncode}"

    def stop(self) -> None:
        """Ends it; what it holds is on the disk."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(_READY_SECONDS)

    def restart(self) -> None:
        """Away, and back."""
        self.stop()
        self.start()


@contextmanager
def running_redis(folder: Path) -> Iterator[RealBroker]:
    """Redis, or Valkey. Skips the calling test where neither is on PATH."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("neither redis-server nor valkey-server is on PATH")
    port = free_port()
    data = folder / "redis"
    data.mkdir()
    options = {"port": str(port), "bind": "127.0.0.1", "dir": str(data), "save": "", "appendonly": "yes", "appendfsync": "always"}
    command = [program, *(word for name, value in options.items() for word in (f"--{name}", value))]
    with (folder / "redis.log").open("ab") as log:
        broker = RealBroker(
            f"redis://127.0.0.1:{port}/0",
            lambda: subprocess.Popen(command, stdout=log, stderr=log),
            lambda: _says(port, b"PING\r\n", b"+PONG"),
        )
        try:
            broker.start()
            yield broker
        finally:
            broker.stop()


@contextmanager
def running_rabbitmq(folder: Path) -> Iterator[RealBroker]:
    """RabbitMQ. Skips the calling test where it is not installed."""
    program = _rabbitmq()
    port, epmd, distribution = free_port(), free_port(), free_port()
    data = folder / "rabbitmq"
    data.mkdir()
    environment = os.environ | {
        "HOME": str(data),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(epmd),
        "RABBITMQ_NODENAME": f"tests{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_MNESIA_BASE": str(data / "mnesia"),
        "RABBITMQ_LOG_BASE": str(data / "log"),
        "RABBITMQ_CONFIG_FILE": str(data / "rabbitmq"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(data / "advanced"),
        "RABBITMQ_CONF_ENV_FILE": str(data / "environment"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(data / "plugins"),
    }
    with (folder / "rabbitmq.log").open("ab") as log:
        broker = RealBroker(
            f"amqp://guest:guest@127.0.0.1:{port}//",
            lambda: subprocess.Popen([program], stdout=log, stderr=log, env=environment, cwd=data),
            lambda: _says(port, b"AMQP\x00\x00\x09\x01", b"\x01\x00\x00"),
        )
        try:
            broker.start()
            yield broker
        finally:
            broker.stop()
            if names := shutil.which("epmd"):  # it outlives the node that started it
                subprocess.run([names, "-port", str(epmd), "-kill"], env=environment, capture_output=True, check=False)


def _rabbitmq() -> str:
    found = shutil.which("rabbitmq-server")
    plain = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    if found is not None and Path(found).parent == Path("/usr/sbin") and plain.exists():
        return str(plain)  # Debian's on PATH becomes another user
    if found is None:
        pytest.skip("rabbitmq-server is not on PATH")
    return found


def _says(port: int, hello: bytes, answer: bytes) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(hello)
        return connection.recv(len(answer)) == answer
    return False
