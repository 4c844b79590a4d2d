"""Calls a function as soon as a module is imported: importing Django or a dozen libraries to follow them would cost more than that.

A finder stands in ``sys.meta_path`` only while something waits. It finds a module as the others do, and leaves no trace on it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from threading import Lock
from types import ModuleType
from typing import Any

logger = logging.getLogger("otelkit.libraries")

_waiting: dict[str, list[Callable[[], None]]] = {}
_lock = Lock()


def when_imported(module: str, act: Callable[[], None]) -> Callable[[], None]:
    """Calls ``act`` now where the module has been imported, else right after it is; what comes back takes that back."""
    with _lock:
        if module not in sys.modules:
            _waiting.setdefault(module, []).append(act)
            if _finder not in sys.meta_path:
                sys.meta_path.insert(0, _finder)
            return lambda: _forget(module, act)
    act()
    return lambda: None


def _forget(module: str, act: Callable[[], None]) -> None:
    with _lock:
        acts = _waiting.get(module, [])
        if act in acts:
            acts.remove(act)
        if not acts:
            _waiting.pop(module, None)
        if not _waiting and _finder in sys.meta_path:
            sys.meta_path.remove(_finder)


def _imported(module: str) -> None:
    for act in list(_waiting.get(module, ())):
        _forget(module, act)
        try:
            act()
        except Exception:
            logger.exception("otelkit could not follow %s; the library is not affected.", module)


class _Finder:
    """Stands in front of the others for the modules that somebody waits for."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """What the finders behind this one find, with a loader that tells us."""
        if name not in _waiting:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _TellingLoader(spec.loader, name)  # type: ignore[assignment]
                return spec
        return None


class _TellingLoader:
    """The real loader, and ours behind it."""

    def __init__(self, loader: Any, name: str) -> None:
        self._loader = loader
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)  # resources, sources: whatever is asked of a loader before the module is executed

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        _imported(self._name)


_finder = _Finder()
