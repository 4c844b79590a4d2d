"""``import otelkit.auto``: what the line in INSTALLED_APPS does, without it, and wherever it stands."""

from __future__ import annotations

import pytest

from tests.instrumentation.wiring.project import LINE, MANAGE, NO_LINE, PYTHON, Project, access_lines, received
from tests.receivers import Receiver

AUTO = "import otelkit.auto"
SET_UP = 'import django, os; os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"; django.setup()'

PLACES = {
    "the line in INSTALLED_APPS": {"installed": LINE},
    "first in the application's module": {"before": AUTO},
    "in the settings": {"settings": AUTO},
    "in the package": {"package": AUTO},
    "after the settings were read": {"between": f"from django.conf import settings; settings.DEBUG; {AUTO}"},
    "after django.setup()": {"between": f"{SET_UP}; {AUTO}"},
    "after the application was made": {"after": AUTO},
    "beside the line": {"installed": LINE, "before": AUTO, "after": AUTO},
    "beside the line, after django.setup()": {"installed": LINE, "between": f"{SET_UP}; {AUTO}"},
    "beside the line's long form": {"installed": '["otelkit.apps.OtelkitConfig", "shop"]', "before": AUTO},
    "beside a subclass of our app": {
        "installed": '["shop.apps.Ours"]',
        "before": AUTO,
        "apps": "from otelkit.apps import OtelkitConfig\nclass Ours(OtelkitConfig):\n    pass\n",
    },
}


def arrange(project: Project, kind: str, place: dict[str, str]) -> None:
    project.settings(place.get("installed", NO_LINE), place.get("settings", ""))
    project.write("shop/__init__.py", place.get("package", ""))
    project.write("shop/apps.py", place.get("apps", ""))
    write = project.wsgi if kind == "wsgi" else project.asgi
    write(place.get("before", ""), place.get("between", ""), place.get("after", ""))


IN_ASYNC_PROJECTS = ("first in the application's module", "after the application was made")
CASES = [*(("wsgi", name) for name in PLACES), *(("asgi", name) for name in IN_ASYNC_PROJECTS)]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_wherever_it_stands_a_request_is_told_once(project: Project, running: Receiver, kind: str, name: str):
    """A3, A26: one span, one duration, one access line; twice is once."""
    arrange(project, kind, PLACES[name])
    done = project.run(PYTHON, "ask.py", f"shop.{kind}", "/items/7", OTEL_EXPORTER_OTLP_ENDPOINT=running.endpoint)
    assert "200" in done.stdout.split()
    assert "Traceback" not in done.stderr
    found = received(running)
    (span,) = found.of_kind("SERVER")
    assert (span.name, span.resource["service.name"], span.status) == ("GET /items/{pk}", "shop", 0)
    assert found.count("http.server.request.duration") == 1
    assert found.count("http.server.active_requests") == 0
    assert len(access_lines(done.stdout)) == 1
    assert [query.parent_id for query in found.of_kind("CLIENT")] == [span.span_id]


def test_manage_py_has_our_commands_and_ours_is_the_first_app(project: Project, running: Receiver):
    project.write("manage.py", MANAGE.format(before=AUTO))
    status = project.run(PYTHON, "manage.py", "otelkit", "status")
    assert status.stdout.startswith("otelkit 0.1.0 observes shop (production)")
    project.write("shop/management/commands/apps.py", COMMAND)
    done = project.run(PYTHON, "manage.py", "apps", OTEL_EXPORTER_OTLP_ENDPOINT=running.endpoint)
    assert done.stdout.split() == ["otelkit", "shop"]


COMMAND = """
from django.apps import apps
from django.core.management.base import BaseCommand
class Command(BaseCommand):
    def handle(self, **options):
        print(*(config.name for config in apps.get_app_configs()))
"""


def test_a_mistake_in_the_settings_stops_the_start_as_the_line_does(project: Project):
    """A23."""
    project.settings(NO_LINE, 'OTELKIT = {"traces": {"sample_rate": 1}}\n')
    for place in ({"before": AUTO}, {"between": f"{SET_UP}; {AUTO}"}):
        project.wsgi(**place)
        done = project.run(PYTHON, "-c", "import shop.wsgi", fails=True)
        assert (
            done.stderr.strip().splitlines()[-1].endswith('OTELKIT["traces"]["sample_rate"] is not a setting. Did you mean "sample_ratio"?')
        )


def test_alone_it_imports_nothing_and_leaves_django_as_it_is_afterwards(project: Project):
    """A25, A26: what waited for Django is gone when Django is there."""
    looks = (
        "import sys, otelkit.auto\n"
        "heavy = {'django', 'opentelemetry', 'urllib3', 'structlog', 'asyncio', 'logging.config'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "import django.apps.registry as registry, importlib.machinery as machinery\n"
        "assert 'populate' in vars(registry.apps)\n"
        f"{SET_UP}\n"
        "assert 'populate' not in vars(registry.apps)\n"
        "ours = {type(finder).__module__ for finder in sys.meta_path if type(finder).__module__.startswith('otelkit')}\n"
        "assert ours <= {'otelkit.importing'}, ours\n"  # which waits for libraries, as long as the kit runs
        "assert type(registry.__loader__) is type(registry.__spec__.loader) is machinery.SourceFileLoader\n"
        "from otelkit import startup\n"
        "assert startup.current() is not None\n"
    )
    project.run(PYTHON, "-c", looks, OTEL_TRACES_EXPORTER="none", OTEL_METRICS_EXPORTER="none")


def test_short_commands_stay_off(project: Project):
    project.write("manage.py", MANAGE.format(before=AUTO))
    project.write("shop/apps.py", SPY)
    project.settings('["shop.apps.Shop"]')
    assert "startup: False" in project.run(PYTHON, "manage.py", "check").stdout


SPY = """
import sys
from django.apps import AppConfig
class Shop(AppConfig):
    name = "shop"
    def ready(self):
        print("startup:", "otelkit.startup" in sys.modules)
"""


def test_in_the_middle_of_djangos_loading_it_says_where_to_put_it(project: Project):
    """No silence where it cannot work: models are being imported, and the list of apps has been read."""
    project.write("shop/models.py", AUTO)
    done = project.run(PYTHON, "ask.py", "shop.wsgi", "/items/7")
    assert "Move it to the top of wsgi.py, asgi.py or manage.py" in done.stderr
    assert "200" in done.stdout


def test_where_another_app_has_our_label_the_project_still_starts(project: Project):
    project.write("other/otelkit/__init__.py", "")
    project.settings('["other.otelkit", "shop"]')
    project.wsgi(before=AUTO)
    done = project.run(PYTHON, "ask.py", "shop.wsgi", "/items/7")
    assert 'has the label "otelkit"' in done.stderr
    assert "200" in done.stdout


def test_started_from_another_apps_ready_it_works(project: Project, running: Receiver):
    project.write("shop/apps.py", SPY.replace('print("startup:", "otelkit.startup" in sys.modules)', AUTO))
    project.settings('["shop.apps.Shop"]')
    project.run(PYTHON, "ask.py", "shop.wsgi", "/items/7", OTEL_EXPORTER_OTLP_ENDPOINT=running.endpoint)
    assert [span.name for span in received(running).of_kind("SERVER")] == ["GET /items/{pk}"]


def test_an_application_made_before_is_mended_and_it_is_said(project: Project, running: Receiver):
    project.settings(NO_LINE, 'OTELKIT["logs"] = {}\n')
    project.wsgi(after=AUTO)
    done = project.run(PYTHON, "ask.py", "shop.wsgi", "/items/7", OTEL_EXPORTER_OTLP_ENDPOINT=running.endpoint)
    assert "The application was made before `import otelkit.auto`: the middleware of 1 handlers was loaded again" in done.stdout
