"""A project that keeps its logging in its own settings gets the same lines by ``LOGGING = dict_config()``."""

from __future__ import annotations

import copy
import json
import logging.config
import subprocess
import sys

import pytest

from otelkit.logs import dict_config

SCRIPT = """
import json, logging, os, sys
sys.argv[0:1] = {argv!r}
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
from otelkit.logs import dict_config
from django.conf import settings
settings.DEBUG = {debug}
settings.OTELKIT = {{"preset": "production", "service": {{"name": "shop"}}, "enabled": {on}}}
settings.OTELKIT |= {{"traces": {{"exporters": []}}, "metrics": {{"exporters": []}}}}
settings.LOGGING = {logging}
import django
django.setup()
from otelkit import startup
startup.start()
django.setup()  # as runserver does
logging.getLogger("shop").debug("debug of the shop")
logging.getLogger("other").info("info of another")
logging.getLogger("httpx").info("a call")
logging.getLogger("django.request").error("an error of Django")
logging.getLogger("django.server").info("the server says something")
import structlog
structlog.get_logger("shop").info("by structlog", key=1)
startup.stop()
"""


def lines_of(logging_: str = "dict_config()", *, on: bool = True, debug: bool = False, argv: tuple[str, ...] = ("gunicorn",)):
    script = SCRIPT.format(argv=list(argv), logging=logging_, on=on, debug=debug)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    out, err = ([line for line in text.splitlines() if "otelkit.started" not in line] for text in (done.stdout, done.stderr))
    return out, err


def messages(lines: list[str]) -> list[str]:
    return [json.loads(line)["message"] for line in lines]


EVERY = ["info of another", "an error of Django", "the server says something", "by structlog"]


@pytest.mark.parametrize("debug", [False, True])
def test_each_line_is_printed_once_with_the_service_and_as_without_logging(debug: bool):
    """A21: whether the project adopts it or the kit applies its own, the lines are the same."""
    (adopted, errors), (applied, _) = lines_of(debug=debug), lines_of("{}", debug=debug)
    assert messages(adopted) == messages(applied) == EVERY
    assert errors == []
    assert [sorted(json.loads(line)) for line in adopted] == [sorted(json.loads(line)) for line in applied]
    assert all(json.loads(line)["service.name"] == "shop" for line in adopted)


def test_the_lines_stay_while_the_kit_is_off():
    out, _ = lines_of(on=False)
    json_lines = [line for line in out if line.startswith("{")]  # structlog prints in its own way then
    assert messages(json_lines) == EVERY[:-1]
    assert all("service.name" not in json.loads(line) for line in json_lines)


def test_levels_by_name_also_of_what_would_be_quiet():
    out, _ = lines_of('dict_config(level="ERROR", loggers={"shop": "DEBUG", "httpx": "INFO", "django.server": "ERROR"})')
    assert messages(out) == ["debug of the shop", "a call", "an error of Django", "by structlog"]


def test_a_command_keeps_its_output_clean():
    out, err = lines_of(argv=("manage.py", "report"))
    assert (out, messages(err)) == ([], EVERY)
    out, err = lines_of('dict_config(stream="stdout")', argv=("manage.py", "report"))
    assert (messages(out), err) == (EVERY, [])


def test_text_for_a_person_while_the_kit_is_off():
    out, _ = lines_of('dict_config(format="text")', on=False)
    assert "info     other: info of another" in out[0]


def test_it_is_a_dictionary_to_be_changed():
    first, second = dict_config(loggers={"shop": "INFO"}), dict_config(loggers={"shop": "INFO"})
    assert first == second
    before = copy.deepcopy(second)
    first["loggers"]["shop"]["level"] = "DEBUG"
    first["handlers"]["otelkit"]["level"] = "ERROR"
    assert second == before
    logging.config.DictConfigurator(first)  # a version that it knows


def test_errors_go_to_the_admins_as_django_has_it():
    from django.utils.log import DEFAULT_LOGGING

    mine = dict_config()
    assert mine["handlers"]["mail_admins"] == DEFAULT_LOGGING["handlers"]["mail_admins"]
    assert mine["loggers"]["django"]["handlers"] == ["mail_admins"]


@pytest.mark.parametrize("wrong", [{"format": "xml"}, {"stream": "file"}])
def test_what_it_does_not_know_it_names(wrong: dict[str, str]):
    with pytest.raises(ValueError, match=r"'(xml|file)' is none of "):
        dict_config(**wrong)  # type: ignore[arg-type]
