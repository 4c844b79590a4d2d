"""Paths without telemetry: as Django knows them, and as another instrumentation wrote them down before Django was asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


class ExcludedPaths:
    """The setting ``requests.excluded_paths``, in the form that answers fastest."""

    __slots__ = ("below", "exactly")

    def __init__(self, paths: Iterable[str]) -> None:
        paths = tuple(paths)
        bare = {path.rstrip("/") for path in paths}
        self.exactly = frozenset(paths) | bare | {f"{path}/" for path in bare}
        """With and without a slash at the end."""
        self.below = tuple(path for path in paths if path.endswith("/"))
        """What these begin with is excluded, too."""

    def __contains__(self, path: str) -> bool:
        return path in self.exactly or path.startswith(self.below)

    def covers(self, attributes: Mapping[str, Any]) -> bool:
        """Whether these attributes of a SERVER span, in the stable or in the old conventions, say that its path is excluded."""
        path = attributes.get("url.path") or attributes.get("http.target")
        return isinstance(path, str) and path.partition("?")[0] in self
