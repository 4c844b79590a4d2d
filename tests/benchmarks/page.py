"""The page that `make bench` writes: what was measured, how to read it, and the table."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from tests.benchmarks.results import Results, missed, not_judged
from tests.benchmarks.table import table

_PAGE = """\
# What otelkit costs

Written by `make bench`, which measures everything in one run and fails where a goal is missed; do not edit it.
Numbers of two runs, or of two machines, are not to be compared. Ratios of instructions may be: they repeat to about 1 %.

- **k-instr** are thousands of instructions of the thread that does the work, counted by callgrind.
- **added** is what the observer adds to Django, or the library, alone.
- **ratio** is its share of what the last row of its section adds; under "other ways", of what OpenTelemetry's traces and metrics add.
  Lines and spans are compared as they are.
- **exported** is what is added when the thread that encodes and sends is counted too: to a receiver on this machine, with each exporter's
  defaults.
- **µs** is processor time, the least of rounds in which all take turns. It depends on what else the machine does.
- **goal** is judged on instructions. Those of gunicorn, the flood and the stack are not, and need a machine that has nothing else to do;
  gunicorn's ratios are those of the middle one of rounds in which the servers take turns.
- **The flood** is made through OpenTelemetry's tracer, with ten attributes a span, under the preset `high_traffic` with every trace kept.
- **The stack** is a process of `otelkit stack` with the rules that come with it. It is sent a tenth more than the goals, by another process
  that also asks what boards ask, and what it took counts until it can be read; of the same question asked some times, the fastest answer
  counts. Its memory is the most that was resident at any time.
- Every request has a path of its own and runs through the seven middlewares of `startproject`; the view answers at once, or after
  its queries.
- **A call, a cache and a task** end where they would leave the process, at an answer in memory. Nobody at OpenTelemetry follows Django's
  caches, so one in Redis is measured beside its instrumentation of redis; the kit follows both.

{table}

{notes}
"""
_PACKAGES = (
    "Django",
    "opentelemetry-sdk",
    "opentelemetry-instrumentation-django",
    "opentelemetry-instrumentation-dbapi",
    "opentelemetry-instrumentation-requests",
    "opentelemetry-instrumentation-redis",
    "opentelemetry-instrumentation-celery",
    "requests",
    "redis",
    "celery",
    "structlog",
    "django-structlog",
    "django-prometheus",
    "sentry-sdk",
    "elastic-apm",
    "gunicorn",
)


def page(results: Results, *, day: str, left_out: Sequence[str] = ()) -> str:
    """The whole, in Markdown. ``left_out`` are sentences about what this run could not measure."""
    notes = [*left_out]
    if failures := missed(results):
        notes.append(f"Goals missed: {'; '.join(failures)}.")
    if rows := not_judged(results):
        notes.append(f"Goals not judged, because their rows were not measured: {', '.join(rows)}.")
    notes.append(f"Measured on {day} with Python {platform.python_version()} on {platform.machine()}; {', '.join(_versions())}.")
    return _PAGE.format(table=table(results), notes="\n".join(notes))


def _versions() -> list[str]:
    found = []
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return found
