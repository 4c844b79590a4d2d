"""The libraries that the project has imported by now: whether each is followed, and by us alone.

Those that are installed and wait for their import, and those that the settings leave alone, are named. What is asked for and absent, what
is too old, and what two follow at once, the checks say.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from otelkit.catalog.libraries import UPSTREAM_FACTS
from otelkit.checks.packages import is_active
from otelkit.doctor.examination import Examination
from otelkit.doctor.hop import Hop, Outcome
from otelkit.libraries import LIBRARIES
from otelkit.libraries.following import failures
from otelkit.libraries.patching import displaced


def libraries(examination: Examination) -> Iterator[Hop]:
    """Which libraries are followed in this process, and what is in the way of the others."""
    complaints = [*_failed(), *_displaced(), *_unseen()]
    yield from complaints
    if not any(complaint.outcome is Outcome.FAIL for complaint in complaints):
        yield Hop("libraries", Outcome.PASS, _standing(examination))


def _standing(examination: Examination) -> str:
    disabled = examination.config.libraries.disabled
    present = [library for library in LIBRARIES if library.is_installed() and library.name not in disabled]
    named = {
        "followed": [library.name for library in present if library.fact.module in sys.modules],
        "not imported here": [library.name for library in present if library.fact.module not in sys.modules],
        f"left alone by {examination.project.where('libraries.disabled')}": list(disabled),
    }
    return "; ".join(f"{standing}: {', '.join(names)}" for standing, names in named.items() if names) or "none is installed"


def _failed() -> Iterator[Hop]:
    for name, why in failures.items():
        fix = f'Another version of it may do, see SETTINGS.md; or leave it alone: OTELKIT["libraries"]["disabled"] = ["{name}"].'
        yield Hop("libraries", Outcome.FAIL, f"{name} is imported, but otelkit cannot follow this version ({why})", fix)


def _displaced() -> Iterator[Hop]:
    for found in displaced():
        yield Hop(
            "libraries",
            Outcome.WARN,
            f"{found.place} was replaced behind otelkit by {found.by}, which does not call what it found: calls are not seen",
            f"Let {found.by} do so before otelkit starts (its app above otelkit's in INSTALLED_APPS), or take it out.",
        )


def _unseen() -> Iterator[Hop]:
    """What upstream could follow and nobody does."""
    for fact in UPSTREAM_FACTS:
        if fact.module in sys.modules and not is_active(fact.upstream):
            yield Hop(
                "libraries",
                Outcome.WARN,
                f"{fact.module} is imported, and nobody follows it: otelkit leaves it to OpenTelemetry's instrumentation",
                f"pip install {fact.package}   and call its instrument() in an AppConfig.ready(); its spans join the traces.",
            )
