"""A value for Django's ``LOGGING`` that gives the lines which the kit gives a project without one.

    # settings.py
    from otelkit.logs import dict_config

    LOGGING = dict_config(level="INFO", loggers={"shop": "DEBUG"})

For a project that wants its logging in its own settings, to read and to change; the same lines come while the kit is switched off.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from otelkit.config import Logs
from otelkit.entry import is_command

_FORMATTERS = {"json": "otelkit.logs.JSONFormatter", "text": "otelkit.logs.TextFormatter"}
_HANDLERS = {"stdout": "otelkit.logs.StdoutHandler", "stderr": "otelkit.logs.StderrHandler"}
_DEFAULTS = Logs()


def dict_config(
    *,
    level: str = _DEFAULTS.level,
    format: Literal["json", "text"] = "json",
    stream: Literal["auto", "stdout", "stderr"] = "auto",
    loggers: Mapping[str, str] | None = None,
    quiet: tuple[str, ...] = _DEFAULTS.quiet,
) -> dict[str, Any]:
    """One handler on the root logger, and every logger's lines through it. A dictionary of its own each time, to be changed at will.

    ``level`` is the root logger's; ``loggers`` gives others a level, by name; those of ``quiet`` that it does not name only warn.
    ``stream`` is as in the setting ``logs.stream``: auto is stderr for management commands. Errors go to the ADMINS by mail, as Django
    has it.

    While the kit runs, the setting ``logs.format`` decides the format, and ``logs.exporters`` whether lines go to the collector too.
    Raises ValueError for another format or stream.
    """
    for what, known in ((format, _FORMATTERS), (stream, {"auto", *_HANDLERS})):
        if what not in known:
            raise ValueError(f"{what!r} is none of {', '.join(sorted(known))}.")
    chosen = ("stderr" if is_command() else "stdout") if stream == "auto" else stream
    return {
        "version": 1,
        "disable_existing_loggers": False,  # or whatever was imported before would fall silent
        "filters": {"require_debug_false": {"()": "django.utils.log.RequireDebugFalse"}},
        "formatters": {"otelkit": {"()": _FORMATTERS[format]}},
        "handlers": {
            "otelkit": {"class": _HANDLERS[chosen], "formatter": "otelkit"},
            "mail_admins": {"level": "ERROR", "filters": ["require_debug_false"], "class": "django.utils.log.AdminEmailHandler"},
        },
        "root": {"handlers": ["otelkit"], "level": level},
        "loggers": _loggers({**dict.fromkeys(quiet, "WARNING"), **(loggers or {})}),
    }


def _loggers(levels: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    # Django gives both a handler that prints; their lines arrive at the root logger's.
    found: dict[str, dict[str, Any]] = {"django": {"handlers": ["mail_admins"]}, "django.server": {"handlers": [], "propagate": True}}
    for name, level in levels.items():
        found.setdefault(name, {})["level"] = level
    return found
