"""A4: OpenTelemetry's own instrumentations beside ours, the real packages, in both orders: one span, one duration, one access line."""

from __future__ import annotations

import pytest

from tests.instrumentation.wiring.project import LINE, PYTHON, Project, Telemetry, access_lines, lines_of, received
from tests.receivers import Receiver, receiver

pytest.importorskip("opentelemetry.instrumentation.django", reason="not installed: pip install 'otelkit[upstream]'")
pytest.importorskip("opentelemetry.instrumentation.asgi", reason="opentelemetry-instrumentation-asgi is not installed")

TRACE = "0123456789abcdef0123456789abcdef"
SAMPLED, NOT_SAMPLED = f"00-{TRACE}-0123456789abcdef-01", f"00-{TRACE}-0123456789abcdef-00"

INSTRUMENT = "from opentelemetry.instrumentation.django import DjangoInstrumentor; DjangoInstrumentor().instrument()"
SET_UP = 'import os, django; os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"; django.setup()'
WRAP = {
    "wsgi": "from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware; application = OpenTelemetryMiddleware(application)",
    "asgi": "from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware; application = OpenTelemetryMiddleware(application)",
}
DJANGO_PLACES = {
    "before our start": {"before": f'import os; os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"; {INSTRUMENT}'},
    "after our start": {"between": f"{SET_UP}; {INSTRUMENT}"},
}
STABLE = {"OTEL_SEMCONV_STABILITY_OPT_IN": "http,database"}
OLD: dict[str, str] = {}


@pytest.fixture
def project(project: Project) -> Project:
    """With the line in INSTALLED_APPS, and with what the kit says about itself."""
    project.settings(LINE, 'OTELKIT["logs"] = {}\n')
    return project


def ask(project: Project, running: Receiver, *arguments: str, **environment: str) -> tuple[Telemetry, str]:
    """What arrived, and what was printed."""
    done = project.run(PYTHON, "ask.py", *arguments, OTEL_EXPORTER_OTLP_ENDPOINT=running.endpoint, **environment)
    assert "Traceback" not in done.stderr
    return received(running), done.stdout


def said(output: str, words: str) -> int:
    """In how many lines, the start line's notes included."""
    return sum(words in str(line.get("message")) or words in str(line.get("notes")) for line in lines_of(output))


@pytest.mark.parametrize(("kind", "names"), [("wsgi", OLD), ("asgi", STABLE)], ids=["sync, old names", "async, stable names"])
@pytest.mark.parametrize("place", DJANGO_PLACES.values(), ids=DJANGO_PLACES)
def test_the_instrumentation_of_django_stands_down(
    project: Project, running: Receiver, kind: str, place: dict[str, str], names: dict[str, str]
):
    """Its span, its two metrics and, under ASGI, its thread; said once."""
    (project.wsgi if kind == "wsgi" else project.asgi)(**place)
    found, output = ask(project, running, SAMPLED, f"shop.{kind}", "/items/7", **names)
    (span,) = found.of_kind("SERVER")
    assert (span.name, span.scope, span.trace_id) == ("GET /items/{pk}", "otelkit", TRACE)
    assert not found.of_kind("INTERNAL")
    assert found.count("http.server.request.duration") == len(access_lines(output)) == 1
    assert not [name for _, name, _, _ in found.metrics if name == "http.server.duration"]
    assert said(output, "opentelemetry-instrumentation-django stands down") == 1


def test_a_404_is_no_error_where_it_stands_down(project: Project, running: Receiver):
    """A8: upstream's middleware would have made one of it."""
    project.wsgi(**DJANGO_PLACES["after our start"])
    found, _ = ask(project, running, "shop.wsgi", "/missing")
    assert [(span.name, span.status) for span in found.of_kind("SERVER")] == [("GET /missing", 0)]


def test_stop_puts_its_middleware_back_where_it_was(project: Project):
    """A26: before our start and after it."""
    project.write(
        "looks.py",
        f"{SET_UP}\n"
        "from django.conf import settings\n"
        "from django.core.wsgi import get_wsgi_application\n"
        "from otelkit import startup\n"
        f"{INSTRUMENT}\n"
        "startup.stop()\n"
        "before = list(settings.MIDDLEWARE)\n"
        "assert len(before) == 2 and before[0].endswith('_DjangoMiddleware'), before\n"
        "startup.start()\n"
        "assert before[0] not in settings.MIDDLEWARE\n"
        "startup.stop()\n"
        "assert settings.MIDDLEWARE == before, settings.MIDDLEWARE\n"
        "DjangoInstrumentor().uninstrument()\n"
        "startup.start()\n"
        "DjangoInstrumentor().instrument()\n"
        "get_wsgi_application()\n"
        "assert before[0] not in settings.MIDDLEWARE\n"
        "startup.stop()\n"
        "assert settings.MIDDLEWARE == before, settings.MIDDLEWARE\n",
    )
    project.run(PYTHON, "looks.py", OTEL_TRACES_EXPORTER="none", OTEL_METRICS_EXPORTER="none")


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
@pytest.mark.parametrize("names", [OLD, STABLE], ids=["old names", "stable names"])
def test_the_span_of_a_wrapped_application_is_adopted(project: Project, running: Receiver, kind: str, names: dict[str, str]):
    """The span is the wrapper's, what it says is ours, with one metric of each name and without what must not leave."""
    (project.wsgi if kind == "wsgi" else project.asgi)(after=WRAP[kind])
    found, output = ask(project, running, SAMPLED, f"shop.{kind}", "/items/7?token=s3cr3t", "/items/8", **names)
    one, other = found.of_kind("SERVER")
    for span in (one, other):
        assert (span.name, span.scope) == ("GET /items/{pk}", f"opentelemetry.instrumentation.{kind}")
        assert (span.trace_id, span.parent_id) == (TRACE, "0123456789abcdef")
        assert span.attributes["http.route"] == "/items/{pk}"
        assert span.attributes["http.response.status_code"] == 200
        assert span.attributes["db.query.count"] == 1
        assert span.attributes["code.function.name"] == "shop.urls.item"
    assert "s3cr3t" not in str(found)
    assert {query.parent_id for query in found.of_kind("CLIENT")} == {one.span_id, other.span_id}
    assert found.count("http.server.request.duration") == 2
    assert found.count("http.server.active_requests") == 0
    assert {scope for scope, name, _, _ in found.metrics if name.startswith(("http.server.request.duration", "http.server.active"))} == {
        "otelkit"
    }
    lines = access_lines(output)
    assert [line["span_id"] for line in lines] == [one.span_id, other.span_id]
    assert said(output, f"Another instrumentation (opentelemetry.instrumentation.{kind}) opens the span") == 1


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_an_error_is_told_on_the_adopted_span(project: Project, running: Receiver, kind: str):
    """A8: the class of the exception, which the wrapper never sees."""
    (project.wsgi if kind == "wsgi" else project.asgi)(after=WRAP[kind])
    found, _ = ask(project, running, f"shop.{kind}", "/boom", "/missing")
    boom, missing = found.of_kind("SERVER")
    assert (boom.name, boom.status, boom.attributes["error.type"]) == ("GET /boom", 2, "RuntimeError")
    assert (missing.name, missing.status) == ("GET /missing", 0)


@pytest.mark.parametrize(("kind", "path"), [("wsgi", "/stream"), ("asgi", "/async/stream")])
def test_an_adopted_request_is_described_when_its_body_is_out(project: Project, running: Receiver, kind: str, path: str):
    """A6: the wrapper ends its span behind the last piece, and by then we have said everything."""
    (project.wsgi if kind == "wsgi" else project.asgi)(after=WRAP[kind])
    found, output = ask(project, running, f"shop.{kind}", path)
    (span,) = found.of_kind("SERVER")
    assert (span.name, span.attributes["http.route"]) == (f"GET {path}", path)
    assert span.attributes["db.query.count"] == len(found.of_kind("CLIENT")) == (kind == "wsgi")
    assert found.count("http.server.request.duration") == len(access_lines(output)) == 1


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_an_adopted_request_that_is_not_sampled_keeps_its_ids(project: Project, running: Receiver, kind: str):
    """A2, A4: no span, and yet its access line belongs to the caller's trace, under the id that the wrapper gave."""
    (project.wsgi if kind == "wsgi" else project.asgi)(after=f"{WRAP[kind]}\n{TELLS_IDS[kind]}")
    found, output = ask(project, running, NOT_SAMPLED, f"shop.{kind}", "/items/7")
    assert found.spans == []
    assert found.count("http.server.request.duration") == 1
    (line,) = access_lines(output)
    assert (line["trace_id"], line["trace_sampled"]) == (TRACE, False)
    assert f"wrapped {line['span_id']}" in output


_TELL = "print('wrapped', format(trace.get_current_span().get_span_context().span_id, '016x'))"
TELLS_IDS = {
    "wsgi": (
        "from opentelemetry import trace\n"
        "inner = application.wsgi\n"
        f"def tell(environ, start_response):\n    {_TELL}\n    return inner(environ, start_response)\n"
        "application.wsgi = tell\n"
    ),
    "asgi": (
        "from opentelemetry import trace\n"
        "inner = application.app\n"
        f"async def tell(scope, receive, send):\n    {_TELL}\n    await inner(scope, receive, send)\n"
        "application.app = tell\n"
    ),
}


def test_a_span_that_was_left_behind_is_adopted_by_no_second_request(project: Project, running: Receiver):
    """Whoever attaches a context and never detaches it must not join all later requests of the thread."""
    leaks = (
        "from opentelemetry import context, trace\n"
        "context.attach(trace.set_span_in_context(trace.NonRecordingSpan(trace.SpanContext(1, 2, False))))\n"
    )
    project.wsgi(after=leaks)
    found, _ = ask(project, running, "shop.wsgi", "/items/6", "/items/7", "/items/8")
    assert len({span.trace_id for span in found.of_kind("SERVER")}) == 2, "only the first was taken for adopted"
    assert found.count("http.server.request.duration") == 3


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_an_excluded_path_is_silent_in_a_wrapped_application_too(project: Project, running: Receiver, kind: str):
    """A13: neither the wrapper's span, nor its children, nor its metrics under our names."""
    (project.wsgi if kind == "wsgi" else project.asgi)(after=WRAP[kind])
    found, output = ask(project, running, f"shop.{kind}", "/livez", "/items/7")
    assert [span.name for span in found.of_kind("SERVER")] == ["GET /items/{pk}"]
    traces = {span.trace_id for span in found.spans}
    assert len(traces) == 1, found.spans
    assert found.count("http.server.request.duration") == len(access_lines(output)) == 1


@pytest.mark.parametrize("provider", ["ours", "the project's"])
def test_it_is_silent_too_where_the_path_is_known_late(project: Project, running: Receiver, provider: str):
    """A13: the span has begun without its path, or by a provider whose sampler is not ours. It is not exported, then."""
    own = "from opentelemetry import trace; from opentelemetry.sdk.trace import TracerProvider; trace.set_tracer_provider(TracerProvider())"
    project.wsgi(before=own if provider == "the project's" else "", after=WRAP["wsgi"])
    found, _ = ask(project, running, "shop.wsgi", "/livez", "/items/7", SHOP_WITHOUT_RAW_URI="1")
    assert [span.name for span in found.of_kind("SERVER")] == ["GET /items/{pk}"]
    assert len({span.trace_id for span in found.spans}) == 1


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_wrapper_and_middleware_together_are_one_span(project: Project, running: Receiver, kind: str):
    """Both of upstream's at once."""
    (project.wsgi if kind == "wsgi" else project.asgi)(**DJANGO_PLACES["before our start"], after=WRAP[kind])
    found, output = ask(project, running, f"shop.{kind}", "/items/7")
    assert [(span.name, span.scope) for span in found.of_kind("SERVER")] == [("GET /items/{pk}", f"opentelemetry.instrumentation.{kind}")]
    assert found.count("http.server.request.duration") == len(access_lines(output)) == 1


ENGINE = 'OTELKIT["requests"] = {"engine": "upstream"}\n'


def test_with_upstreams_engine_its_middleware_and_its_metrics_stay(project: Project, running: Receiver):
    """The choice of the other one of two is respected, also where the project had set it up itself."""
    project.settings(LINE, ENGINE)
    project.wsgi(**DJANGO_PLACES["before our start"])
    found, output = ask(project, running, "shop.wsgi", "/items/7", **STABLE)
    assert [(span.name, span.scope) for span in found.of_kind("SERVER")] == [("GET items/<int:pk>", "opentelemetry.instrumentation.django")]
    assert found.count("http.server.request.duration") == 1
    assert not access_lines(output)


CLIENTS = {
    "requests": "from opentelemetry.instrumentation.requests import RequestsInstrumentor as Instrumentor",
    "httpx": "from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor as Instrumentor",
}


@pytest.mark.parametrize(
    ("place", "names"), [("before", OLD), ("before", STABLE), ("between", STABLE)], ids=["before", "before, stable", "after"]
)
@pytest.mark.parametrize("library", CLIENTS)
def test_an_outbound_call_has_one_span_and_one_duration(
    project: Project, running: Receiver, library: str, place: str, names: dict[str, str]
):
    """Whoever opened it; the duration of our name is ours, and the header that travels is that of the one span."""
    pytest.importorskip(library)
    pytest.importorskip(f"opentelemetry.instrumentation.{library}", reason=f"opentelemetry-instrumentation-{library} is not installed")
    start = f"{CLIENTS[library]}; Instrumentor().instrument()"
    project.wsgi(**{place: start if place == "before" else f"{SET_UP}; {start}"})
    with receiver() as target:
        url = target.endpoint.replace("http://", "http://user:s3cr3t@") + "/?token=s3cr3t"
        found, _ = ask(project, running, "shop.wsgi", f"/call/{library}", SHOP_CALLS=url, **names)
    (server,) = found.of_kind("SERVER")
    (call,) = found.of_kind("CLIENT")
    assert call.parent_id == server.span_id
    assert found.count("http.client.request.duration") == 1
    assert "s3cr3t" not in str(found)


def test_a_query_has_one_span(project: Project, running: Receiver):
    """The driver's instrumentation is silent within Django's queries, and works elsewhere."""
    pytest.importorskip("opentelemetry.instrumentation.dbapi", reason="opentelemetry-instrumentation-dbapi is not installed")
    project.wsgi(
        before="from opentelemetry.instrumentation import dbapi; from django.db.backends.sqlite3.base import Database; "
        'dbapi.trace_integration(Database, "connect", "sqlite")'
    )
    project.write("shop/urls.py", DIRECTLY)
    found, output = ask(project, running, "shop.wsgi", "/django", "/directly")
    by_trace = {span.name: span.trace_id for span in found.of_kind("SERVER")}
    queries = [(span.name, span.scope.rpartition(".")[2], span.trace_id) for span in found.of_kind("CLIENT")]
    assert sorted(queries) == sorted([("SELECT", "otelkit", by_trace["GET /django"]), ("SELECT", "dbapi", by_trace["GET /directly"])]), (
        queries
    )
    assert said(output, "stays silent within Django's queries") == 1


DIRECTLY = """
import sqlite3
from django.db import connection
from django.http import HttpResponse
from django.urls import path

def through_django(request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok")

def directly(request):
    found = sqlite3.dbapi2.connect(":memory:").cursor()
    found.execute("SELECT 1")
    return HttpResponse("ok")

urlpatterns = [path("django", through_django), path("directly", directly)]
"""
