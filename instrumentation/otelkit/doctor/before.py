"""The hops before a request: settings that can be used, a process that is started with the kit, and what the checks say."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import django
from django.apps import apps

from otelkit.checks import unsilenced
from otelkit.doctor.examination import Examination
from otelkit.doctor.hop import Hop, Outcome
from otelkit.redaction import redact_url

_IMPORTS_US = re.compile(r"^\s*(?:import\s+otelkit\.auto|from\s+otelkit\s+import\s+.*\bauto)\b", re.MULTILINE)


def settings(examination: Examination) -> Iterator[Hop]:
    """Whether the settings can be used, and the kit is on."""
    project, config = examination.project, examination.config
    if project.problems:
        examination.is_over = True
        fix = "Correct the names and values above; SETTINGS.md of otelkit lists them."
        yield Hop("settings", Outcome.FAIL, "\n".join(project.problems), fix)
    elif not config.enabled:
        examination.is_over = True
        yield Hop("settings", Outcome.FAIL, "otelkit is switched off", f"Take away {project.where('enabled')}.")
    else:
        by = project.where("export.endpoint") if project.is_chosen("export.endpoint") else "the default"
        chosen = f"{len(config.sources)} settings of your own"
        yield Hop("settings", Outcome.PASS, f"preset {config.preset}, {chosen}; OTLP to {redact_url(config.export.endpoint)} ({by})")


def process(examination: Examination) -> Iterator[Hop]:
    """Whether something starts the kit in the project's processes."""
    where = f"Python {platform.python_version()}, Django {django.__version__}"
    if apps.is_installed("otelkit"):
        yield Hop("process", Outcome.PASS, f"otelkit is one of the installed apps; {where}")
    elif examination.project.environ.get("OTELKIT_RUN"):
        yield Hop("process", Outcome.PASS, f"started by otelkit run; {where}")
    elif entry := _entry_that_imports_us(examination):
        yield Hop("process", Outcome.PASS, f"{entry} imports otelkit.auto; {where}")
    else:
        yield Hop(
            "process",
            Outcome.FAIL,
            "nothing starts otelkit in this project: it is not in INSTALLED_APPS",
            'Add "otelkit" to INSTALLED_APPS, first in the list; or start the server by `otelkit run ...`, and this command likewise.',
        )


def _entry_that_imports_us(examination: Examination) -> str | None:
    """The file that servers or commands of the project begin with, if it imports us. It is read, not run."""
    django_settings = examination.project.settings
    files = [Path("manage.py")]
    for name in ("WSGI_APPLICATION", "ASGI_APPLICATION"):
        module = str(getattr(django_settings, name, None) or "").rpartition(".")[0]
        spec = _spec_of(module)
        if spec:
            files.append(spec)
    for file in files:
        try:
            if _IMPORTS_US.search(file.read_text()):
                return file.name
        except (OSError, UnicodeDecodeError):
            continue
    return None


def _spec_of(module: str) -> Path | None:
    try:
        spec = find_spec(module) if module else None
    except (ImportError, ValueError):
        return None
    return Path(spec.origin) if spec and spec.origin else None


def checks(examination: Examination) -> Iterator[Hop]:
    """What the system checks find, whether or not Django runs them."""
    found = unsilenced(examination.project)
    for check, finding in found:
        yield Hop("checks", Outcome.FAIL if check.is_error else Outcome.WARN, f"{check.full_id} {finding.message}", finding.hint)
    if not found:
        yield Hop("checks", Outcome.PASS, "the system checks of otelkit find nothing")
