"""The configuration: every setting declared once, presets as values, and the loader that puts both together."""

from otelkit.config.events import Events
from otelkit.config.export import Export, Receiver
from otelkit.config.loading import load
from otelkit.config.presets import PRESETS
from otelkit.config.sections import (
    SECTIONS,
    Clients,
    Commands,
    Config,
    Database,
    Libraries,
    Logs,
    Metrics,
    Requests,
    Service,
    Tasks,
    Traces,
    declared,
)

__all__ = [
    "PRESETS",
    "SECTIONS",
    "Clients",
    "Commands",
    "Config",
    "Database",
    "Events",
    "Export",
    "Libraries",
    "Logs",
    "Metrics",
    "Receiver",
    "Requests",
    "Service",
    "Tasks",
    "Traces",
    "declared",
    "load",
]
