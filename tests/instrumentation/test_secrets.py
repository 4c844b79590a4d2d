"""C1: secrets planted at the door come out nowhere."""

from __future__ import annotations

import logging
import sys

import structlog
from django.test import Client, RequestFactory

from otelkit.metrics.pull import metrics
from otelkit.testing import capture

SECRETS = {
    "query": "q-hunter2-aaaa",
    "path": "p-hunter2-bbbb",
    "header": "h-hunter2-cccc",
    "cookie": "c-hunter2-dddd",
    "body": "b-hunter2-eeee",
    "log key": "l-hunter2-ffff",
    "structlog key": "s-hunter2-gggg",
    "exception": "hunter2",
    "referer": "r-hunter2-hhhh",
}


def test_planted_secrets_come_out_nowhere(capsys):
    """C1: URL, path, header, cookie, body, log key, exception text - over traces, metrics, logs, standard output and /metrics."""
    console = logging.StreamHandler(sys.stdout)  # as a project's own LOGGING would have it; the kit gives it its formatter
    logging.getLogger().addHandler(console)
    settings = {"logs": {"exporters": ["otlp", "console"]}, "metrics": {"exporters": ["otlp", "prometheus"]}}
    with capture(settings) as telemetry:
        client = Client(raise_request_exception=False)
        headers = {
            "authorization": f"Bearer {SECRETS['header']}",
            "x-api-key": SECRETS["header"],
            "cookie": f"sessionid={SECRETS['cookie']}",
            "referer": f"https://shop.example/?token={SECRETS['referer']}",
        }
        client.get(f"/items/1?token={SECRETS['query']}&password={SECRETS['query']}", headers=headers)
        client.get(f"/reset/{SECRETS['path']}/", headers=headers)
        client.post("/items/1", {"password": SECRETS["body"]}, headers=headers)
        client.get(f"/nowhere?api_key={SECRETS['query']}")
        client.get("/boom")
        logging.getLogger("shop").warning("signing in", extra={"password": SECRETS["log key"], "user": "ann"})
        structlog.get_logger("shop").warning("signing in", api_key=SECRETS["structlog key"], user="ann")
        sent = "".join(str(part) for part in (telemetry.spans, telemetry.logs, telemetry.metrics))
        scraped = metrics(RequestFactory().get("/metrics")).content.decode()
    logging.getLogger().removeHandler(console)
    printed = "".join(capsys.readouterr())
    assert "signing in" in printed
    assert "signing in" in sent
    assert "ann" in printed
    for place, text in (("OTLP", sent), ("/metrics", scraped), ("standard output", printed)):
        leaked = [name for name, secret in SECRETS.items() if secret in text]
        assert leaked == [], f"{place} shows what was planted as {leaked}"
