"""What a check is, and what it looks at. CHECKS.md is written from these objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any

from otelkit.config import Config


@dataclass(frozen=True, slots=True)
class Project:
    """The project as it stands: its settings, its environment, and the configuration that both amount to."""

    config: Config
    environ: Mapping[str, str]
    settings: Any
    """``django.conf.settings``."""
    problems: tuple[str, ...] = ()
    """Why ``config`` is only a preset: settings that cannot be used, a sentence each."""

    def where(self, setting: str) -> str:
        """The place that a person changes: what set it, or where it would be set. ``setting`` is like ``export.endpoint``."""
        section, _, name = setting.rpartition(".")
        return self.config.sources.get(setting) or (f'OTELKIT["{section}"]["{name}"]' if section else f'OTELKIT["{name}"]')

    def is_chosen(self, setting: str) -> bool:
        """Whether the project or its environment set it, so that it is not the preset's."""
        return setting in self.config.sources

    @property
    def serves_asgi(self) -> bool:
        """Whether the project says that it runs under ASGI; ``asgi.py`` alone says nothing, every project has one."""
        return bool(getattr(self.settings, "ASGI_APPLICATION", None))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: the thing and its value, and the way on."""

    message: str
    hint: str


Find = Callable[[Project], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that may be wrong, and how to find it. An id that begins with E stops Django's commands, one with W does not."""

    id: str
    about: str
    """What is wrong then, and why it matters: for the table."""
    find: Find

    @property
    def full_id(self) -> str:
        """As Django knows it, and as SILENCED_SYSTEM_CHECKS takes it."""
        return f"otelkit.{self.id}"

    @property
    def is_error(self) -> bool:
        """Whether it is an error, not a warning."""
        return self.id.startswith("E")


def check(id: str) -> Callable[[Find], Check]:
    """Makes a function a check. Its docstring is what the table says of it."""
    return lambda find: Check(id, cleandoc(find.__doc__ or ""), find)
