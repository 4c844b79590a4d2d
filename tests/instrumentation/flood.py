"""A process that makes spans as fast as it is told to, and says how its books stand at the end:

python -m tests.instrumentation.flood ENDPOINT --spans 100000 --rate 20000
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time

import django
from opentelemetry import trace

from otelkit import startup
from otelkit.config import load

_BURST = 200
"""Spans between two looks at the clock."""


def main() -> None:
    """Prints one JSON object: created, exported, dropped by reason, queued, spans per second, MB that the process grew by."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("endpoint")
    parser.add_argument("--spans", type=int, default=100_000)
    parser.add_argument("--rate", type=int, default=0, help="spans a second at most; 0 is as fast as it goes")
    parser.add_argument("--attribute", type=int, default=0, help="characters of a large attribute of every span")
    parser.add_argument("--queue-bytes", type=int, default=64_000_000)
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    settings = {
        "preset": "high_traffic",  # which is for processes that make so many
        "traces": {"sample_ratio": 1.0},
        "metrics": {"exporters": []},
        "logs": {"exporters": []},
        "export": {"endpoint": options.endpoint, "queue_bytes": options.queue_bytes},
    }
    runtime = startup.start(load(settings, {}))
    assert runtime is not None
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took = produce(options.spans, options.rate, options.attribute)
    account = runtime.exporter.accounts.of["traces"]
    startup.stop()
    created, exported, dropped, queued = account.totals()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    rate = round(options.spans / took)
    print(json.dumps({"created": created, "exported": exported, "dropped": dropped, "queued": queued, "rate": rate, "grown_mb": grown}))


def produce(spans: int, rate: int, characters: int) -> float:
    """Seconds that it took."""
    tracer = trace.get_tracer("tests.flood")
    began = time.perf_counter()
    for number in range(spans):
        attributes: dict[str, str | int] = {
            "http.request.method": "GET",
            "http.route": "/items/{pk}",
            "http.response.status_code": 200,
            "url.scheme": "http",
            "url.path": f"/items/{number}",
            "server.address": "127.0.0.1",
            "server.port": 8000,
            "network.protocol.version": "1.1",
            "db.query.count": number % 7,
            "client.port": number % 60_000,
        }
        if characters:
            attributes["large"] = str(number).ljust(characters, "x")
        tracer.start_span("GET /items/{pk}", attributes=attributes).end()
        if rate and number % _BURST == 0:
            time.sleep(max(0.0, number / rate - (time.perf_counter() - began)))
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
