"""Answers that the real backends gave, beside the project: what ours are compared with."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import pytest

from tests.stack.promql.shared_files import shared_folder


def captured(name: str) -> dict[str, Any]:
    """A request with its ``status``, ``content_type`` and ``body``. Skips the calling test where there are none."""
    folder = shared_folder("captured")
    if folder is None:
        pytest.skip("needs the captured answers beside the project, in ../shared/captured")
    content: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
    return content


def shape(value: Any, *, free: Collection[str] = ()) -> Any:
    """Keys and types, to be compared: of a list those of its first item, numbers of one type as in JSON.

    Under the keys in ``free`` the data decide about the keys.
    """
    if isinstance(value, dict):
        return {key: "free" if key in free else shape(one, free=free) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(value[0], free=free)] if value else []
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
