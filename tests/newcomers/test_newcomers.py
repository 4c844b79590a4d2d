"""E3: a project that knows nothing of otelkit becomes observable by one line, is the same for its users, and forgets it without trace."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.newcomers.trying import Client, Project, Tried, copy_of

MANAGE = (sys.executable, "manage.py", "runserver", "--noreload", "127.0.0.1:PORT")
GUNICORN = (sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:PORT", "--worker-tmp-dir", ".", "library.wsgi")
UVICORN = (sys.executable, "-m", "uvicorn", "--port", "PORT", "live.asgi:application")


def _needs(module: str) -> None:
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed; it comes with otelkit[dev].")


def visit_polls(ask: Client) -> None:
    ask("GET", "/polls/")
    ask("GET", "/polls/1/")
    token = ask.token("/polls/1/")
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    ask("POST", "/polls/1/vote/", f"csrfmiddlewaretoken={token}&choice=2", **form)
    ask("POST", "/polls/1/vote/", f"csrfmiddlewaretoken={token}", **form)
    ask("GET", "/polls/1/results/")
    ask("GET", "/polls/404/")
    ask("GET", "/admin/")
    token = ask.token("/admin/login/?next=/admin/")
    ask("POST", "/admin/login/?next=/admin/", f"csrfmiddlewaretoken={token}&username=ann&password=hunter2-ann", **form)
    ask("GET", "/admin/polls/question/?q=new")
    ask("GET", "/nowhere")
    ask("HEAD", "/polls/")


def visit_library(ask: Client) -> None:
    form = {"Content_Type": "application/json"}
    ask("GET", "/api/books/")
    ask("POST", "/api/books/", json.dumps({"title": "Momo"}), **form)
    ask("POST", "/api/books/", json.dumps({}), **form)
    ask("GET", "/api/books/1/")
    ask("POST", "/api/books/1/lend/")
    ask("POST", "/api/books/1/lend/")
    ask("GET", "/api/books/broken/")
    ask("DELETE", "/api/books/1/")
    ask("GET", "/api/books/1/")
    ask("PATCH", "/api/books/")


def visit_live(ask: Client) -> None:
    ask("GET", "/scores/final/")
    ask("GET", "/scores/final/events")
    ask("GET", "/both/")
    ask("GET", "/sync/")
    ask("GET", "/broken/")
    ask("GET", "/nowhere?token=hunter2-live")
    ask("HEAD", "/scores/final/")


@pytest.fixture
def polls(tmp_path: Path) -> Project:
    project = copy_of("polls", "mysite", MANAGE, tmp_path)
    project.manage("migrate", "--run-syncdb")
    project.manage("loaddata", "questions")
    project.manage("createsuperuser", "--noinput", "--username=ann", "--email=", DJANGO_SUPERUSER_PASSWORD="hunter2-ann")
    return project


@pytest.fixture
def library(tmp_path: Path) -> Project:
    _needs("rest_framework")
    _needs("gunicorn")
    project = copy_of("library", "library", GUNICORN, tmp_path)
    project.manage("migrate", "--run-syncdb")
    return project


@pytest.fixture
def live(tmp_path: Path) -> Project:
    _needs("uvicorn")
    return copy_of("live", "live", UVICORN, tmp_path)


def try_with_and_without(project: Project, visit: Callable[[Client], None]) -> Tried:
    """Without the line, with it, and without it again, each on the same data. Gives what the second run told."""
    database = project.root / "db.sqlite3"
    kept = project.root.parent.parent / "kept.sqlite3"
    if database.exists():
        shutil.copy(database, kept)
    settings = project.settings.read_text()

    def run() -> Tried:
        if kept.exists():
            shutil.copy(kept, database)
        return project.run(visit)

    before = run()
    assert (before.received.spans, before.received.metrics, before.access_lines) == ([], {}, [])
    files = project.files()  # with those that the server itself makes
    project.add_the_line()
    assert len(project.settings.read_text().splitlines()) == len(settings.splitlines()) + 1
    after = run()
    project.remove_the_line()
    assert project.files() == files, "a file, a folder or a line of the settings stayed behind"
    again = run()
    assert (again.received.spans, again.received.metrics, again.access_lines) == ([], {}, [])
    for answer, without in zip(after.answers, before.answers, strict=True):
        assert answer == without
    assert again.answers == before.answers
    return after


def requests_of(tried: Tried) -> list[tuple[str, int]]:
    """Name and status of each SERVER span, in the order in which they began."""
    spans = sorted((span for span in tried.received.spans if span["kind"] == "SERVER"), key=lambda span: span["start_ns"])
    return [(span["name"], span["attributes"]["http.response.status_code"]) for span in spans]


def samples_of(tried: Tried) -> int:
    return sum(point["count"] for point in tried.received.metrics["http.server.request.duration"])


def test_djangos_tutorial_becomes_observable_by_one_line(polls):
    """E3: generic views, a form and the admin, under runserver with DEBUG."""
    tried = try_with_and_without(polls, visit_polls)
    assert requests_of(tried) == [
        ("GET /polls/", 200),
        ("GET /polls/{pk}/", 200),
        ("GET /polls/{pk}/", 200),
        ("POST /polls/{question_id}/vote/", 302),
        ("POST /polls/{question_id}/vote/", 200),
        ("GET /polls/{pk}/results/", 200),
        ("GET /polls/{pk}/", 404),
        ("GET /admin/", 302),
        ("GET /admin/login/", 200),
        ("POST /admin/login/", 302),
        ("GET /admin/polls/question/", 200),
        ("GET", 404),
        ("HEAD /polls/", 200),
    ]
    assert samples_of(tried) == len(tried.answers)
    assert "mysite" in {span["resource"]["service.name"] for span in tried.received.spans}
    tried.received.assert_span("render polls/index.html", parent="GET /polls/")
    tried.received.assert_span(
        "SELECT polls_question", {"db.system.name": "sqlite"}, parent="render polls/index.html", times=2
    )  # GET and HEAD
    assert tried.received.span("GET /polls/{pk}/results/")["attributes"]["code.function.name"].endswith("ResultsView.get")
    # With DEBUG lines are for a person to read.
    for line in ("GET /polls/{pk}/results/ 200", "POST /admin/login/ 302"):
        assert tried.output.count(line) == 1
    tried.received.assert_no_secrets("hunter2-ann")
    assert "hunter2-ann" not in tried.output


def test_a_rest_service_becomes_observable_by_one_line(library):
    """E3: a viewset behind a router, under gunicorn; a view set says class and action."""
    tried = try_with_and_without(library, visit_library)
    expected = [
        ("GET /api/books/", 200),
        ("POST /api/books/", 201),
        ("POST /api/books/", 400),
        ("GET /api/books/{pk}/", 200),
        ("POST /api/books/{pk}/lend/", 200),
        ("POST /api/books/{pk}/lend/", 400),
        ("GET /api/books/broken/", 500),
        ("DELETE /api/books/{pk}/", 204),
        ("GET /api/books/{pk}/", 404),
        ("PATCH /api/books/", 405),
    ]
    assert requests_of(tried) == expected
    assert samples_of(tried) == len(expected)
    assert [
        (f"{line['http.request.method']} {line['http.route']}", line["http.response.status_code"]) for line in tried.access_lines
    ] == expected
    assert {line["trace_id"] for line in tried.access_lines} == {span["trace_id"] for span in tried.received.spans}
    lend = tried.received.assert_span("POST /api/books/{pk}/lend/", {"http.response.status_code": 200})
    assert lend["attributes"]["code.function.name"] == "books.views.BookViewSet.lend"
    broken = tried.received.assert_span("GET /api/books/broken/", {"error.type": "RuntimeError"}, status="ERROR")
    assert broken["events"][0]["attributes"]["exception.message"] == "the shelf fell over"
    tried.received.assert_span("UPDATE books_book", parent="POST /api/books/{pk}/lend/")


def test_an_async_service_becomes_observable_by_one_line(live):
    """E3: async views and a stream of events, under uvicorn."""
    tried = try_with_and_without(live, visit_live)
    expected = [
        ("GET /scores/{game}/", 200),
        ("GET /scores/{game}/events", 200),
        ("GET /both/", 200),
        ("GET /sync/", 200),
        ("GET /broken/", 500),
        ("GET", 404),
        ("HEAD /scores/{game}/", 200),
    ]
    assert requests_of(tried) == expected
    assert samples_of(tried) == len(expected)
    assert [line["http.response.status_code"] for line in tried.access_lines] == [status for _, status in expected]
    stream = tried.received.span("GET /scores/{game}/events")
    assert stream["duration_s"] >= 0.04, "it lasts as long as its body"
    assert tried.answers[1].body.count("data: final") == 3
    tried.received.assert_span("GET /broken/", {"error.type": "RuntimeError"}, status="ERROR")
    tried.received.assert_no_secrets("hunter2-live")
    assert "hunter2-live" not in "".join(map(str, tried.access_lines))
