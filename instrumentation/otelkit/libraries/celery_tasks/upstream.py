"""OpenTelemetry's Celery instrumentation beside ours: it stands down, because two would make two spans of everything.

``CeleryInstrumentor().instrument()`` connects to Celery's signals, before our start or after it.
"""

from __future__ import annotations

import logging
from typing import Any

from otelkit.libraries.patching import Patches

logger = logging.getLogger("otelkit.libraries")

MODULE = "opentelemetry.instrumentation.celery"
_SENTENCE = (
    "opentelemetry-instrumentation-celery stands down, because otelkit follows tasks; "
    'OTELKIT = {"libraries": {"disabled": ["celery"]}} would have it the other way round.'
)


class StandDown:
    """Keeps upstream's instrumentation quiet until :meth:`restore`."""

    def __init__(self) -> None:
        self._patches = Patches()
        self._was_active = False

    def begin(self) -> None:
        """Called once upstream's module has been imported."""
        from opentelemetry.instrumentation.celery import CeleryInstrumentor

        instrumentor: Any = CeleryInstrumentor()  # type: ignore[no-untyped-call]
        if instrumentor.is_instrumented_by_opentelemetry:
            instrumentor._uninstrument()
            self._was_active = True
            logger.info("%s", _SENTENCE)
        self._patches.replace(CeleryInstrumentor, "_instrument", lambda _: self._declined)

    def _declined(self, *_: Any, **__: Any) -> None:
        self._was_active = True  # with the settings of its default, where it is let in again
        logger.info("%s", _SENTENCE)

    def restore(self) -> None:
        """Lets upstream work again, where somebody has switched it on."""
        if not self._patches:
            return
        self._patches.restore()
        from opentelemetry.instrumentation.celery import CeleryInstrumentor

        instrumentor: Any = CeleryInstrumentor()  # type: ignore[no-untyped-call]
        if self._was_active and instrumentor.is_instrumented_by_opentelemetry:
            instrumentor._instrument()
        self._was_active = False
