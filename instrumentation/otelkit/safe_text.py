"""Text of anything, also where its own ``__str__`` raises or would not end."""

from __future__ import annotations

_CONTAINERS = (list, tuple, dict, set, frozenset)
"""Types whose own ``str()`` has no bounds and no secrets."""


def safe_text(value: object) -> str:
    """``str(value)``, or a note of what went wrong there."""
    try:
        # Not str(value): of a subclass it may return the subclass, whose methods may be anything.
        return str.__str__(str(value))
    except Exception as error:  # noqa: BLE001 - __str__ is the user's code, and may raise whatever it likes
        return unserializable(value, error)


def name_of(value: object) -> str:
    """The text of what stands where a name should: a key, a span's name, a status. Of a container only what it is."""
    if type(value) is str:
        return value
    return f"<{type(value).__name__}>" if issubclass(type(value), _CONTAINERS) else safe_text(value)


def unserializable(value: object, error: Exception) -> str:
    """The note that stands in for a value that raised."""
    return f"<unserializable {type(value).__name__}: {type(error).__name__}>"
