"""Which propagator is the global one: ours in the place of OpenTelemetry's, and beside it those that the settings name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import entry_points

from opentelemetry import propagate
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import TextMapPropagator

from otelkit.settings_field import W3C_FORMATS
from otelkit.traces.w3c import PROPAGATOR, W3CPropagator


def propagate_by(names: Sequence[str], *, is_chosen: bool) -> Callable[[], None]:
    """Makes the propagator of these formats the global one, and gives back the undoing.

    Unless somebody chose the formats in the settings or the environment, what a project set itself (``set_global_textmap``) stays.
    """
    before = propagate.get_global_textmap()
    is_default = type(before) is CompositePropagator and before.fields == PROPAGATOR.fields
    if not is_chosen and not is_default:
        return lambda: None
    ours = propagator_of(names)
    propagate.set_global_textmap(ours)

    def undo() -> None:
        if propagate.get_global_textmap() is ours:
            propagate.set_global_textmap(before)

    return undo


def propagator_of(names: Sequence[str]) -> TextMapPropagator:
    """One propagator for all these formats; the W3C's are ours, each other one is what its package registered."""
    found: list[TextMapPropagator] = []
    w3c = [name for name in names if name in W3C_FORMATS]
    if set(w3c) == set(W3C_FORMATS):
        found.append(PROPAGATOR)
    elif w3c:
        found.append(W3CPropagator(has_context="tracecontext" in w3c, has_baggage="baggage" in w3c))
    for name in dict.fromkeys(names):
        if name not in W3C_FORMATS:
            (entry, *_) = entry_points(group="opentelemetry_propagator", name=name)
            found.append(entry.load()())
    return found[0] if len(found) == 1 else CompositePropagator(found)
