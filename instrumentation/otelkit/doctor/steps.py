"""The hops in the order that telemetry takes, each with the exit code of its failure.

To add one: a function that takes an :class:`~otelkit.doctor.examination.Examination` and yields its hops, in a file beside these; a line in
``STEPS`` with a code that is free; a row in the README's table; and a project in the tests in which it fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from otelkit import startup
from otelkit.checks import project_of_this_process
from otelkit.doctor import application, before, libraries, read_back, receivers, scrape
from otelkit.doctor.examination import Examination
from otelkit.doctor.hop import Hop, Outcome

PATIENCE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Step:
    """One hop, or several of one kind."""

    name: str
    exit_code: int
    about: str
    """What it looks at."""
    look: Callable[[Examination], Iterator[Hop]]


STEPS: tuple[Step, ...] = (
    Step("settings", 10, "settings and environment can be used, and the kit is on", before.settings),
    Step("process", 11, "something starts the kit in the project's processes", before.process),
    Step("checks", 12, "the system checks of otelkit", before.checks),
    Step("application", 20, "a marked request passes the project's middleware, and is recorded", application.application),
    Step("libraries", 21, "what the project imports is followed, and nobody has replaced how", libraries.libraries),
    Step("traces", 30, "the receiver of traces takes them", lambda examination: receivers.receiver(examination, "traces")),
    Step("metrics", 31, "the receiver of metrics takes them", lambda examination: receivers.receiver(examination, "metrics")),
    Step("logs", 32, "the receiver of log lines takes them", lambda examination: receivers.receiver(examination, "logs")),
    Step("clock", 33, "the receiver's clock agrees with this machine's", receivers.clock),
    Step("read traces", 40, "the embedded stack has the request's trace", partial(read_back.read_back, signal="traces")),
    Step("read metrics", 41, "the embedded stack has the request's sample", partial(read_back.read_back, signal="metrics")),
    Step("read logs", 42, "the embedded stack has the marked line", partial(read_back.read_back, signal="logs")),
    Step("scrape", 50, "/metrics shows the request", scrape.scrape),
)


def examine(timeout: float = PATIENCE_SECONDS) -> Iterator[Hop]:
    """Yields each hop as soon as it is known; ``timeout`` is in seconds, for each answer that is waited for.

    Django must be set up; a running kit is stopped first, and nothing runs afterwards.
    """
    startup.stop()
    examination = Examination(project_of_this_process(), timeout)
    with examination.undo:
        for step in STEPS:
            yield from _looked_at(step, examination)
            if examination.is_over:
                return


def _looked_at(step: Step, examination: Examination) -> Iterator[Hop]:
    try:
        yield from step.look(examination)
    except Exception as error:  # noqa: BLE001  (the other hops are still worth a look)
        detail = f"otelkit doctor failed itself: {type(error).__name__}: {error}"
        yield Hop(step.name, Outcome.FAIL, detail, "Please report it, with the settings that lead there.")


def exit_code(hops: Iterable[Hop]) -> int:
    """0 where nothing failed, otherwise the code of the first hop that did."""
    codes = {step.name: step.exit_code for step in STEPS}
    return next((codes[hop.name] for hop in hops if hop.outcome is Outcome.FAIL), 0)
