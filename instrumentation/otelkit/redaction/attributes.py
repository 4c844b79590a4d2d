"""Attributes of spans, which anybody may set: the project, and every other instrumentation. One rule for each key."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from otelkit.redaction.keys import is_sensitive
from otelkit.redaction.sql import sanitize_sql
from otelkit.redaction.text import redact_text

_KEPT = frozenset(
    {
        # Ours, clean when they are set. Of a pattern or a statement, a part may look like a pair with a secret's name: /token:refresh,
        # ON a.token = b.token.
        "http.route",
        "db.query.text",
        "db.query.summary",
        "db.query.repeated.text",
        # As the setting requests.client_address wants it, and off without.
        "client.address",
    }
)
_STATEMENTS = frozenset({"db.statement"})
"""Where older instrumentations write SQL as it is executed, literals included."""


@lru_cache(maxsize=4096)
def redactor_of(key: str) -> Callable[[str], str] | None:
    """What to do with a text under this key before it is shown; None where nothing under it may be."""
    if key in _KEPT:
        return str
    if is_sensitive(key):
        return None
    return sanitize_sql if key in _STATEMENTS else redact_text
