"""``assert_no_secrets``: looks for planted values in everything that left the process."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, quote_plus

SHORTEST_SECRET = 4
"""Characters. Anything shorter is found by chance, in an id or a number."""
_EXCERPT = 40


class SecretAssertions(ABC):
    """What :class:`otelkit.testing.Received` and :class:`otelkit.testing.Telemetry` can say about secrets."""

    @abstractmethod
    def outputs(self) -> Iterator[tuple[str, Any]]:
        """Everything that left, each with the words for its place."""

    def assert_no_secrets(self, *secrets: str) -> None:
        """Fails where one of these stands in any output, as it is or as JSON or a URL would write it, in capitals or not.

        Raises AssertionError with every place, also where nothing was captured, because then nothing was tested; ValueError for a secret of
        less than four characters, and TypeError where none is given.
        """
        __tracebackhide__ = True
        if not secrets:
            raise TypeError("assert_no_secrets() needs the values that must not come out; plant them in the request first.")
        if short := [secret for secret in secrets if len(secret) < SHORTEST_SECRET]:
            raise ValueError(f"{short[0]!r} is too short to look for: anything below {SHORTEST_SECRET} characters is found by chance.")
        outputs = list(self.outputs())
        if not outputs:
            raise AssertionError("Nothing was captured at all, so nothing can be said about secrets.")
        forms = {secret: _forms(secret) for secret in secrets}
        found = [f"  {secret!r} in {place}" for secret in secrets for place in _places(outputs, forms[secret])]
        if found:
            raise AssertionError("\n".join(["Secrets came out:", *found]))


def _places(outputs: Sequence[tuple[str, Any]], forms: Sequence[str]) -> list[str]:
    """Where one of the forms stands. Raw bytes are named only where nothing that was decoded out of them is."""
    decoded = [f"{place}{where}" for place, value in outputs if type(value) is not bytes for where in _within(value, forms)]
    raw = (place for place, value in outputs if type(value) is bytes and _holds(value.decode("utf-8", "replace"), forms))
    return list(dict.fromkeys(decoded or raw))


def _within(value: Any, forms: Sequence[str], path: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if _holds(str(key), forms):
                yield f"{path}, a key: {key!r}"
            yield from _within(item, forms, f"{path}, {key}")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from _within(item, forms, path)
    elif _holds(text := str(value), forms):
        yield f"{path}: {_excerpt(text, forms)}"


def _forms(secret: str) -> list[str]:
    written = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], quote(secret, safe=""), quote_plus(secret)}
    return [form.casefold() for form in written]


def _holds(text: str, forms: Sequence[str]) -> bool:
    text = text.casefold()
    return any(form in text for form in forms)


def _excerpt(text: str, forms: Sequence[str]) -> str:
    at = max(text.casefold().find(form) for form in forms)
    return repr(text[max(0, at - _EXCERPT) : at + 2 * _EXCERPT])
