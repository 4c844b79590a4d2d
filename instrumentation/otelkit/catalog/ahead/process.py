"""The server's pool of workers."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label
from otelkit.catalog.metrics.model import Kind, Metric

SERVER = Label("server", "Program that serves, like `gunicorn` or `uvicorn`. Ours.")

WORKER_POOL_BUSY = Metric("worker.pool.busy", Kind.GAUGE, "{worker}", "Threads or workers that answer a request now.", (SERVER,))
WORKER_POOL_SIZE = Metric("worker.pool.size", Kind.GAUGE, "{worker}", "Threads or workers that there are.", (SERVER,))
