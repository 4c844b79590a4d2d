"""The line that each request writes."""

from __future__ import annotations

import pytest

from otelkit.logs.access import user_agent_family, write_access_line
from otelkit.logs.formatter import JSONFormatter

REQUEST = {
    "method": "GET",
    "route": "/orders/{pk}",
    "path": "/orders/7",
    "status": 200,
    "duration_s": 0.0123456,
    "response_bytes": 512,
    "db_queries": 4,
    "db_duration_s": 0.0021,
    "db_duplicates": 2,
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
}


def test_the_line_has_every_key_of_the_contract(keep):
    handler = keep(JSONFormatter())
    write_access_line(**REQUEST)
    (line,) = handler.lines
    del line["timestamp"]
    assert line == {
        "level": "info",
        "message": "GET /orders/{pk} 200",
        "logger": "otelkit.access",
        "event.name": "http.request",
        "http.request.method": "GET",
        "http.route": "/orders/{pk}",
        "url.path": "/orders/7",
        "http.response.status_code": 200,
        "duration_ms": 12.346,
        "db.query.count": 4,
        "db.duration_ms": 2.1,
        "db.query.duplicates": 2,
        "http.response.body.size": 512,
        "user_agent.name": "Chrome",
    }


@pytest.mark.parametrize(
    ("status", "level"), [(200, "info"), (302, "info"), (404, "info"), (499, "info"), (500, "error"), (503, "error"), (None, "info")]
)
def test_only_what_is_the_services_fault_is_an_error(keep, status, level):
    handler = keep(JSONFormatter())
    write_access_line(**{**REQUEST, "status": status})
    assert handler.lines[0]["level"] == level


def test_what_is_not_known_is_left_out_and_a_query_never_written(keep):
    handler = keep(JSONFormatter())
    write_access_line(**{**REQUEST, "status": None, "response_bytes": None, "user_agent": None, "path": "/a?token=hunter2"})
    (line,) = handler.lines
    assert line["message"] == "GET /orders/{pk} -"
    assert line["url.path"] == "/a"
    assert not {"http.response.status_code", "http.response.body.size", "user_agent.name"} & set(line)


@pytest.mark.parametrize(
    ("user_agent", "family"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge"),
        ("Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15", "Safari"),
        ("Mozilla/5.0 (X11; Linux) Gecko/20100101 Firefox/140.0", "Firefox"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot"),
        ("curl/8.5.0", "curl"),
        ("python-httpx/0.28", "python-httpx"),
        ("kube-probe/1.31", "Kubernetes probe"),
        ("hunter2 " * 1_000, "Other"),
        ("", None),
        (None, None),
    ],
)
def test_a_user_agent_becomes_a_family(user_agent, family):
    assert user_agent_family(user_agent) == family
