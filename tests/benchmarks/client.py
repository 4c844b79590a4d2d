"""Asks a server for a while: ``python -m tests.benchmarks.client PORT SECONDS CONNECTIONS`` prints one JSON object.

Sockets and bytes, without a library for HTTP: a client that costs little leaves the processor to the server.
"""

from __future__ import annotations

import json
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

_REQUEST = b"GET /items/%d?colour=red HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: benchmark/1.0\r\n\r\n"


def ask(port: int, until: float) -> list[float]:
    """One connection; the seconds that each answer took. Raises RuntimeError for any answer but 200 and ``ok``."""
    taken: list[float] = []
    number = 0
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while perf_counter() < until:
            number += 1
            began = perf_counter()
            connection.sendall(_REQUEST % (number % 1000 + 1))
            answer = b""
            while b"\r\n\r\n" not in answer or not answer.endswith(b"ok"):
                received = connection.recv(65536)
                if not received:
                    raise RuntimeError(f"The server closed the connection after {answer[:500]!r}")
                answer += received
            taken.append(perf_counter() - began)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"The server answered {answer[:500]!r}")
    return taken


def main() -> None:
    """Reads the command line."""
    port, seconds, connections = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    until = perf_counter() + seconds
    with ThreadPoolExecutor(connections) as pool:
        ordered = sorted(second for taken in pool.map(lambda _: ask(port, until), range(connections)) for second in taken)
    print(json.dumps({"requests_per_second": len(ordered) / seconds, "p99": ordered[int(len(ordered) * 0.99)] * 1000}))


if __name__ == "__main__":
    main()
