"""Which libraries are followed, from when on, and what is said about it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.trace import NoOpTracer

from otelkit.catalog.libraries import LIBRARY_FACTS, LIBRARY_NAMES, LibraryFact
from otelkit.catalog.metrics import METRICS, Metric
from otelkit.config import Libraries, Requests, load
from otelkit.errors import ConfigError
from otelkit.libraries import LIBRARIES, Library, Recording, Steps, follow_libraries
from otelkit.libraries.patching import Patches
from otelkit.metrics.aggregator import Aggregator, Observe
from otelkit.outbound import Outbound
from otelkit.tasks.messages import MessageRecorder
from otelkit.tasks.queues import TaskQueues
from otelkit.tasks.recorder import TaskRecorder
from otelkit.testing import capture
from otelkit.websockets.recorder import WebsocketRecorder

FACT = LibraryFact("parcels", "otelkit_test_parcels", "parcels", "parcels counted")


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A library that is installed and that nobody has imported."""
    (tmp_path / f"{FACT.module}.py").write_text("def send(): return 'sent'\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield FACT.module
    sys.modules.pop(FACT.module, None)


def library(calls: list[str], instrument: Any = None) -> Library:
    return Library(FACT, instrument or (lambda recording: calls.append("instrument")), lambda: calls.append("uninstrument"), emits=())


def follow(found: Library, undo: ExitStack, **settings: tuple[str, ...]) -> list[str]:
    recording: Any = None
    return list(follow_libraries([found], recording, Libraries(**settings), undo))


def test_a_library_is_followed_from_its_import_on(module: str):
    calls: list[str] = []
    finders = list(sys.meta_path)
    with ExitStack() as undo:
        assert follow(library(calls), undo) == ["parcels: parcels counted"]
        assert calls == []
        assert module not in sys.modules, "looking whether it is there does not import it"
        spec = find_spec(module)
        assert spec is not None
        assert "def send" in spec.loader.get_source(module), "who looks for its source finds it"  # type: ignore[union-attr]
        imported = import_module(module)
        assert calls == ["instrument"]
        assert type(imported.__loader__).__name__ == "SourceFileLoader"
        assert imported.__spec__ is not None
        assert imported.__spec__.loader is imported.__loader__
    assert calls == ["instrument", "uninstrument"]
    assert sys.meta_path == finders


def test_a_library_that_is_imported_already_is_followed_at_once(module: str):
    import_module(module)
    calls: list[str] = []
    with ExitStack() as undo:
        follow(library(calls), undo)
        assert calls == ["instrument"]


def test_a_library_that_nobody_imports_costs_nothing_and_leaves_nothing(module: str):
    """A26."""
    calls: list[str] = []
    finders = list(sys.meta_path)
    with ExitStack() as undo:
        follow(library(calls), undo)
        assert sys.meta_path != finders
    import_module(module)
    assert calls == ["uninstrument"]
    assert sys.meta_path == finders


def test_a_library_that_cannot_be_followed_works_as_without_us(module: str, caplog: pytest.LogCaptureFixture):
    """B6: a release that has moved what we replace."""
    calls: list[str] = []
    with ExitStack() as undo:
        follow(library(calls, lambda recording: 1 / 0), undo)
        assert import_module(module).send() == "sent"
        assert calls == ["uninstrument"], "what was replaced before it failed comes back"
    assert "otelkit cannot follow parcels in this version" in caplog.text


def test_a_library_whose_own_import_fails_fails_as_without_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / f"{FACT.module}.py").write_text("raise LookupError('its own')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with ExitStack() as undo:
        follow(library([]), undo)
        with pytest.raises(LookupError, match="its own"):
            import_module(FACT.module)


def test_what_is_absent_is_one_line_and_what_is_required_and_absent_an_error(caplog: pytest.LogCaptureFixture):
    absent = replace(library([]), fact=replace(FACT, module="otelkit_test_nowhere"))
    with ExitStack() as undo:
        assert follow(absent, undo) == ["libraries: not installed, nothing to follow: parcels"]
        assert caplog.text == ""
        assert follow(absent, undo, required=("parcels",)) == ["parcels: required, but not installed; pip install parcels"]
        assert "pip install parcels" in caplog.text
        assert follow(absent, undo, disabled=("parcels",)) == ["parcels: setting libraries.disabled"]


def test_every_fact_has_its_library_and_every_library_says_what_it_emits():
    assert tuple(library.fact for library in LIBRARIES) == LIBRARY_FACTS
    assert all(metric in METRICS for library in LIBRARIES for metric in library.emits)


def test_a_name_that_is_no_library_offers_the_real_ones():
    """A23."""
    with pytest.raises(ConfigError, match=r"OTELKIT_LIBRARIES_DISABLED may hold .*httpx"):
        load({}, {"OTELKIT_LIBRARIES_DISABLED": "htpx"})


class Asked(Aggregator):
    """Remembers which metrics somebody wants to record."""

    def __init__(self) -> None:
        super().__init__(100)
        self.metrics: set[Metric] = set()

    def _instrument(self, metric: Metric) -> Any:
        self.metrics.add(metric)
        return super()._instrument(metric)

    def observe(self, metric: Metric, observe: Observe, forget: Callable[[], None] | None = None) -> None:
        self.metrics.add(metric)
        super().observe(metric, observe, forget)


def patches_of(library: Library) -> Patches:
    found: Patches = vars(sys.modules[library.instrument.__module__])["_patches"]
    return found


HERE = [library for library in LIBRARIES if library.is_installed() and "_patches" in vars(sys.modules[library.instrument.__module__])]


@pytest.fixture
def imported() -> None:
    for found in HERE:
        import_module(found.fact.module)


@pytest.mark.parametrize("found", HERE, ids=lambda found: found.name)
def test_a_library_records_what_it_declares_and_nothing_else(imported: None, found: Library):
    """Its own tests drive it, and see that each of these metrics comes."""
    tracer, asked, shared = NoOpTracer(), Asked(), Asked()
    tasks, messages = TaskRecorder(tracer, shared, 300.0), MessageRecorder(tracer, shared, 300.0)
    websockets = WebsocketRecorder(tracer, shared, Requests(), writes_line=False)
    try:
        outbound, steps, queues = Outbound(tracer, shared, {}), Steps(tracer, 0.1), TaskQueues(shared)
        found.instrument(Recording(tracer, asked, outbound, steps, tasks, messages, queues, websockets))
        assert asked.metrics - shared.metrics == set(found.emits) - shared.metrics
    finally:
        found.uninstrument()


def test_twice_is_once_and_the_end_restores_everything(imported: None):
    """A26: for every library that is installed here."""
    assert not any(patches_of(found) for found in HERE), "nothing is replaced while the kit is off"
    with capture() as telemetry:
        assert all(patches_of(found) for found in HERE)
        replaced = {found.name: patches_of(found).replaced for found in HERE}
        runtime = telemetry.runtime
        outbound = Outbound(runtime.tracer, runtime.aggregator, {})
        tasks = TaskRecorder(runtime.tracer, runtime.aggregator, 300.0)
        messages = MessageRecorder(runtime.tracer, runtime.aggregator, 300.0)
        steps, queues = Steps(runtime.tracer, 0.1), TaskQueues(runtime.aggregator)
        websockets = WebsocketRecorder(runtime.tracer, runtime.aggregator, Requests(), writes_line=False)
        recording = Recording(runtime.tracer, runtime.aggregator, outbound, steps, tasks, messages, queues, websockets)
        for found in HERE:
            found.instrument(recording)
        assert {found.name: patches_of(found).replaced for found in HERE} == replaced
    assert not any(patches_of(found) for found in HERE)


def test_disabled_libraries_are_as_they_were(imported: None):
    """A25."""
    with capture({"libraries": {"disabled": list(LIBRARY_NAMES)}}):
        assert not any(patches_of(found) for found in HERE)


def test_what_was_replaced_comes_back_as_it_was():
    """Properties and static methods too."""

    class Owner:
        @property
        def value(self) -> int:
            return 1

        @staticmethod
        def make() -> int:
            return 2

    before = dict(vars(Owner))
    patches = Patches()
    patches.replace(Owner, "value", lambda original: property(lambda self: 10 * original.fget(self)))
    patches.replace(Owner, "make", lambda original: staticmethod(lambda: 10 * original.__func__()))
    patches.replace(Owner, "make", lambda original: staticmethod(lambda: 10 * original.__func__()))
    assert (Owner().value, Owner.make(), bool(patches)) == (10, 200, True)
    patches.restore()
    assert {name: vars(Owner)[name] for name in ("value", "make")} == {name: before[name] for name in ("value", "make")}
    with pytest.raises(KeyError):
        patches.replace(Owner, "moved", lambda original: original)
    assert not patches
