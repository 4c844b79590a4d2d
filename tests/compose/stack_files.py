"""The compose stack as data: its files read the way Compose reads them, without a Docker engine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).parents[2]
COMPOSE = PROJECT / "compose"

_VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)\})")


def environment_file() -> dict[str, str]:
    """The variables of ``.env``. Raises AssertionError for a variable that is set twice, since the last would win in silence."""
    variables: dict[str, str] = {}
    for line in (COMPOSE / ".env").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            assert name not in variables, f"{name} stands twice in .env"
            variables[name] = value
    return variables


def compose_text() -> str:
    """``compose.yaml`` as it is written, variables and all."""
    return (COMPOSE / "compose.yaml").read_text()


def stack() -> dict[str, Any]:
    """``compose.yaml`` with its anchors merged and every variable replaced from ``.env``."""
    return _replaced(yaml.safe_load(compose_text()), environment_file())


def services() -> dict[str, dict[str, Any]]:
    """Name to definition of each service of the whole stack."""
    return dict(stack()["services"])


def config(path: str) -> Any:
    """A configuration file of the stack, by its path below ``compose/``."""
    return yaml.safe_load((COMPOSE / path).read_text())


@dataclass(frozen=True, slots=True)
class Mount:
    """One volume line of a service: a path of this checkout or a named volume, and where the container sees it."""

    source: str
    target: str
    read_only: bool

    @property
    def path(self) -> Path | None:
        """The path in the checkout, or None for a named volume."""
        return (COMPOSE / self.source).resolve() if self.source.startswith(".") else None


def mounts(service: dict[str, Any]) -> list[Mount]:
    """The volumes of a service, in short and long spelling alike."""
    found = []
    for entry in service.get("volumes", ()):
        if isinstance(entry, dict):
            found.append(Mount(entry["source"], entry["target"], bool(entry.get("read_only"))))
        else:
            source, target, *mode = entry.split(":")
            found.append(Mount(source, target, mode == ["ro"]))
    return found


def _replaced(value: Any, variables: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, variables) for item in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: variables[match["name"]] if match["name"] else "$", value)
    return value
