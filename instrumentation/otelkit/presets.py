"""Named configurations. A preset is a value; each line has its reason, and its cost where it has one."""

from __future__ import annotations

from dataclasses import replace

from otelkit.config import Config, Export, Logs, Metrics

PRODUCTION = Config(preset="production")

DEVELOPMENT = replace(
    PRODUCTION,
    preset="development",
    logs=Logs(format="text"),  # a person reads them
    metrics=Metrics(interval=5.0),  # a change shows while one is still looking; three times the exports
    export=Export(interval=0.2, shutdown_timeout=1.0),  # traces show at once, and autoreload does not wait for a missing collector
)

PRESETS: dict[str, Config] = {"development": DEVELOPMENT, "production": PRODUCTION}
