"""What the kit writes and passes on besides OTLP, kept while a test runs: log lines and outgoing headers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Setter, default_setter

from otelkit.catalog.logs import RESOURCE_KEYS
from otelkit.logs.formatter import JSONFormatter, TextFormatter


class LineKeeper(logging.Handler):
    """Formats each record in both of the kit's forms and keeps the texts."""

    def __init__(self, resource: Mapping[str, Any]) -> None:
        super().__init__()
        self.json: list[str] = []
        self.texts: list[str] = []
        self._as_json = JSONFormatter({key: str(resource[key]) for key in RESOURCE_KEYS if key in resource})
        self._as_text = TextFormatter()

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the record's line."""
        self.json.append(self._as_json.format(record))
        self.texts.append(self._as_text.format(record))

    def listen(self, level: str) -> Callable[[], None]:
        """Hears every logger from now on, the root logger at ``level`` or lower; what comes back ends it."""
        root = logging.getLogger()
        before = root.level
        known = [logger for logger in root.manager.loggerDict.values() if isinstance(logger, logging.Logger)]
        heard = [root, *(logger for logger in known if not logger.propagate)]
        for logger in heard:
            logger.addHandler(self)
        # In a server the kit sets this level; a test runner's own handlers keep it from doing so.
        wanted = logging.getLevelNamesMapping()[level]
        root.setLevel(min(before, wanted) if before else wanted)

        def end() -> None:
            root.setLevel(before)
            for logger in heard:
                logger.removeHandler(self)

        return end


class HeaderKeeper:
    """Keeps what the global propagator writes into outbound calls."""

    def __init__(self) -> None:
        self.kept: list[dict[str, str]] = []

    def listen(self) -> Callable[[], None]:
        """Sees every injection from now on; what comes back ends it."""
        propagator: Any = propagate.get_global_textmap()
        inject = propagator.inject

        def keep_and_inject(carrier: Any, context: Context | None = None, setter: Setter[Any] = default_setter) -> None:
            written: dict[str, str] = {}
            inject(written, context)
            self.kept.append(written)
            inject(carrier, context, setter)

        propagator.inject = keep_and_inject  # on the instance: the class's own is found again when this one goes
        return lambda: propagator.__dict__.pop("inject", None)
