"""Templates of Django's and of Jinja's backend: duration by name, and the phase of the request.

Patched at the backends, which render whole templates: included and extended ones are part of theirs, as for the reader of a page.
What a form renders for each field has a sample of its own, within that of its page.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from otelkit.catalog import libraries
from otelkit.catalog.metrics import DJANGO_TEMPLATE_RENDER_DURATION
from otelkit.importing import when_imported
from otelkit.libraries.base import Library, Recording
from otelkit.libraries.patching import Patches
from otelkit.libraries.steps import Step
from otelkit.metrics.aggregator import Histogram
from otelkit.traces.suppression import is_suppressed

logger = logging.getLogger("otelkit.libraries")

_JINJA = "django.template.backends.jinja2"
_LONGEST_NAME = 200
_patches = Patches()
_stop_waiting: list[Callable[[], None]] = []


def instrument(recording: Recording) -> None:
    """Follows every template that a backend renders; those of Jinja2 once its backend is imported."""
    from django.template.backends.django import Template

    if _patches:
        return
    duration = recording.aggregator.histogram(DJANGO_TEMPLATE_RENDER_DURATION)
    _patches.replace(Template, "render", partial(_follow, recording, duration))
    _stop_waiting.append(when_imported(_JINJA, partial(_follow_jinja, recording, duration)))


def _follow_jinja(recording: Recording, duration: Histogram) -> None:
    from django.template.backends.jinja2 import Template

    _patches.replace(Template, "render", partial(_follow, recording, duration))


def _follow(recording: Recording, duration: Histogram, render: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(render)
    def followed(self: Any, *args: Any, **kwargs: Any) -> Any:
        if is_suppressed():
            return render(self, *args, **kwargs)
        name = _name_of(self)
        step = Step(recording.steps, f"render {name or 'a text'}", {"template.name": name} if name else {})
        try:
            result = render(self, *args, **kwargs)
        except BaseException as error:
            _record(step, duration, name, error)
            raise
        _record(step, duration, name, None)
        return result

    return followed


def _name_of(template: Any) -> str | None:
    name = getattr(getattr(template, "template", None), "name", None)
    return name[:_LONGEST_NAME] if isinstance(name, str) and name else None


def _record(step: Step, duration: Histogram, name: str | None, error: BaseException | None) -> None:
    elapsed = step.end(error)
    try:
        duration.record(elapsed, (name,))
        if step.state is not None:
            step.state.template_time += step.own
    except Exception:
        logger.exception("otelkit could not record a template; what it rendered is not affected.")


def uninstrument() -> None:
    """Puts the backends' own methods back."""
    while _stop_waiting:
        _stop_waiting.pop()()
    _patches.restore()


LIBRARY = Library(libraries.DJANGO_TEMPLATES, instrument, uninstrument, emits=(DJANGO_TEMPLATE_RENDER_DURATION,))
