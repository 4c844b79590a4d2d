"""How one setting is declared: type, default, environment variable, help and check, in one place.

The loader, ``otelkit status`` and the settings table of the docs all read this declaration.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field
from importlib.metadata import entry_points
from ipaddress import ip_network
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import unquote, urlsplit

Check = Callable[[Any], str | None]
"""Gives what the value must be, like ``must be between 0 and 1``, or None where it is fine."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a setting says about itself."""

    help: str
    env: str | None
    check: Check | None
    parse: Callable[[str], Any] | None


def setting(
    default: Any, *, help: str, env: str | None = None, check: Check | None = None, parse: Callable[[str], Any] | None = None
) -> Any:
    """A dataclass field that explains itself. ``parse`` turns the environment variable's text into the value.

    It may raise a ValueError that says what the text must be, like a check does.
    """
    metadata = {"setting": Declaration(help, env, check, parse)}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def declaration(declared: Field[Any]) -> Declaration:
    """The declaration of a field made by :func:`setting`."""
    found: Declaration = declared.metadata["setting"]
    return found


# --- checks -----------------------------------------------------------------------------------------------------------


def between(low: float, high: float) -> Check:
    """A number within the two bounds, both included."""
    return lambda value: None if low <= value <= high else f"must be between {low:g} and {high:g}"


def either(exempt: object, check: Check) -> Check:
    """This one value, or what ``check`` asks for."""
    return lambda value: None if value == exempt else check(value)


@dataclass(frozen=True, slots=True)
class OneOf:
    """The check of :func:`one_of`; knows its words, so that an error can offer the nearest."""

    allowed: tuple[str, ...]

    def __call__(self, value: Any) -> str | None:
        return None if value in self.allowed else f"must be one of {', '.join(self.allowed)}"


def one_of(*allowed: str) -> OneOf:
    """One of these words."""
    return OneOf(allowed)


def subset_of(*allowed: str) -> Check:
    """A list of these words, perhaps empty."""
    return lambda value: None if set(value) <= set(allowed) else f"may hold {', '.join(allowed)}"


def optional(check: Check) -> Check:
    """Empty, or what ``check`` asks for."""
    return either("", check)


def http_url(value: str) -> str | None:
    """An absolute http or https address without query and without white space."""
    try:
        parts = urlsplit(value)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        port_is_fine = False
    is_absolute = port_is_fine and parts.scheme in ("http", "https") and parts.hostname
    if not is_absolute or parts.query or parts.fragment or value.split() != [value]:
        return "must be an address like http://127.0.0.1:4318"
    return None


def readable_file(value: str) -> str | None:
    """A file that this process may read."""
    return None if Path(value).is_file() and os.access(value, os.R_OK) else "must be a file that can be read"


def paths(value: tuple[str, ...]) -> str | None:
    """URL paths from the root."""
    return None if all(path.startswith("/") for path in value) else 'must be paths that start with "/"'


def networks(value: tuple[str, ...]) -> str | None:
    """Networks in CIDR notation."""
    try:
        for network in value:
            ip_network(network, strict=False)
    except ValueError:
        return "must be networks like 10.0.0.0/8 or fc00::/7"
    return None


def propagators(value: tuple[str, ...]) -> str | None:
    """Formats of trace headers: the W3C's, and those whose package is installed."""
    for name in value:
        if name not in W3C_FORMATS and not entry_points(group="opentelemetry_propagator", name=name):
            package = _PROPAGATOR_PACKAGES.get(name)
            hint = f" (pip install {package})" if package else ""
            known = sorted({*W3C_FORMATS, *entry_points(group="opentelemetry_propagator").names})
            return f"may hold {', '.join(known)}, or what is installed: {name!r} is not{hint}"
    return None


W3C_FORMATS = ("tracecontext", "baggage")
_PROPAGATOR_PACKAGES = {
    "b3": "opentelemetry-propagator-b3",
    "b3multi": "opentelemetry-propagator-b3",
    "jaeger": "opentelemetry-propagator-jaeger",
    "xray": "opentelemetry-propagator-aws-xray",
    "ottrace": "opentelemetry-propagator-ot-trace",
}


def header(value: str) -> str | None:
    """The name of an HTTP header."""
    return None if value.replace("-", "").isalnum() and value.isascii() else "must be the name of a header, like X-Request-ID"


# --- values -----------------------------------------------------------------------------------------------------------


def milliseconds(text: str) -> float:
    """Seconds, from the milliseconds that OpenTelemetry's environment variables hold. Raises ValueError."""
    try:
        return float(text) / 1000
    except ValueError:
        raise ValueError("must be a number of milliseconds") from None


def level(text: str) -> str:
    """A level of Python's, from the words that OpenTelemetry's SDKs use; ``none`` leaves only what is critical."""
    words = {"trace": "DEBUG", "warn": "WARNING", "fatal": "CRITICAL", "none": "CRITICAL"}
    return words.get(text.lower(), text.upper())


def exporters(text: str) -> tuple[str, ...]:
    """``otlp,console``, or nothing for ``none``."""
    return tuple(name for name in words(text) if name != "none")


def words(text: str) -> tuple[str, ...]:
    """A comma-separated list."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def pairs(text: str) -> dict[str, str]:
    """``key=value,key=value`` with percent-encoded values (W3C baggage form, as OpenTelemetry asks). Raises ValueError."""
    found = {}
    for pair in words(text):
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise ValueError("must be like key=value,key=value")
        found[key.strip()] = unquote(value.strip())
    return found


_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def parse_text(text: str, wanted: Any) -> Any:
    """The environment variable's text as the type the setting declares. Raises ValueError with what was wanted."""
    try:
        if wanted is bool:
            return _BOOLEANS[text.strip().lower()]
        if wanted in (int, float):
            return wanted(text)
    except (KeyError, ValueError):
        raise ValueError(f"must be {expected(wanted)}") from None
    if wanted == tuple[str, ...]:
        return words(text)
    if wanted == dict[str, str]:
        return pairs(text)
    return text


def coerce(value: Any, wanted: Any) -> Any:
    """The value of a Django setting as the declared type: lists become tuples, whole numbers floats. Raises ValueError."""
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if wanted in (int, float, str, bool) and type(value) is wanted:
        return value
    if wanted == tuple[str, ...] and isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if wanted == dict[str, str] and isinstance(value, Mapping) and all(isinstance(part, str) for item in value.items() for part in item):
        return dict(value)
    raise ValueError(f"must be {expected(wanted)}")


def expected(wanted: Any) -> str:
    """The declared type in words."""
    return {
        bool: "True or False",
        int: "a whole number",
        float: "a number",
        str: "a text",
        tuple[str, ...]: "a list of texts",
        dict[str, str]: "a dictionary of texts",
    }[wanted]


def types_of(section: type) -> dict[str, Any]:
    """Declared type of each setting of a section."""
    return get_type_hints(section)
