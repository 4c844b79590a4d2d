"""Starting the kit by itself, where a process has something to tell: what the app, ``otelkit.auto`` and the distribution call."""

from __future__ import annotations

from otelkit.entry import reason_to_stay_off, short_command
from otelkit.errors import ConfigError


def start_where_wanted() -> None:
    """Starts the kit in a process that has something to tell, once Django has its settings.

    Raises ConfigError for settings that cannot be used. Switched off, it imports no more than what reads the settings.
    """
    short = None
    if reason_to_stay_off() is not None:
        short = short_command()
        if short is None:
            return
    from otelkit.project import config_of_project

    try:
        config = config_of_project()
    except ConfigError:
        if short is not None:  # it needs no settings of ours: one that mends them must run
            return
        raise
    if config.enabled and (short is None or short in config.commands.followed):
        from otelkit import startup

        startup.start(config)
