"""Log lines: one JSON object or one OTLP record per event, the same from the standard library and from structlog."""

from otelkit.logs.access import write_access_line
from otelkit.logs.console import StderrHandler, StdoutHandler
from otelkit.logs.django_logging import dict_config
from otelkit.logs.formatter import JSONFormatter, TextFormatter
from otelkit.logs.item import LogItem
from otelkit.logs.otlp import OTLPHandler, silence
from otelkit.logs.setup import Installation, LogSettings, install
from otelkit.logs.structlog_bridge import add_trace_context

__all__ = [
    "Installation",
    "JSONFormatter",
    "LogItem",
    "LogSettings",
    "OTLPHandler",
    "StderrHandler",
    "StdoutHandler",
    "TextFormatter",
    "add_trace_context",
    "dict_config",
    "install",
    "silence",
    "write_access_line",
]
