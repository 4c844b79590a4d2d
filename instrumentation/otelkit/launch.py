"""Starting the kit by itself, where a process has something to tell: what the app, ``otelkit.auto`` and the distribution call."""

from __future__ import annotations

from otelkit.entry import reason_to_stay_off


def start_where_wanted() -> None:
    """Starts the kit in a process that has something to tell, once Django has its settings.

    Raises ConfigError for settings that cannot be used. Switched off, it imports no more than what reads the settings.
    """
    if reason_to_stay_off() is not None:
        return
    from otelkit.project import config_of_project

    config = config_of_project()
    if config.enabled:
        from otelkit import startup

        startup.start(config)
