"""Filters by labels: ``level="error"``, ``status >= 500``, ``duration > 1s``, ``size < 10KB``, ``addr = ip("10.0.0.0/8")``.

A filter of a number that meets a label which is none lets the line pass and marks it with ``__error__="LabelFilterErr"``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network, summarize_address_range
from typing import Protocol

from otelkit_stack.logql.errors import LogQLError
from otelkit_stack.logql.line import Line
from otelkit_stack.logql.units import go_duration_ns, size_bytes
from otelkit_stack.selectors.matchers import Matcher

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


class LabelFilter(Protocol):
    """A condition on the labels of a line."""

    def accepts(self, line: Line) -> bool:
        """Whether the line fits; it may be marked as one that could not be read."""
        ...


@dataclass(frozen=True, slots=True)
class TextFilter:
    """Compares a label as text."""

    matcher: Matcher

    def accepts(self, line: Line) -> bool:
        return self.matcher.matches(line.get(self.matcher.name))


@dataclass(frozen=True, slots=True)
class NumberFilter:
    """Compares a label as a number, a duration or a size, as the query's own value is written."""

    name: str
    comparison: str
    value: float
    read: Callable[[str], float]

    def accepts(self, line: Line) -> bool:
        text = line.get(self.name)
        if not text:
            return False
        if line.error:  # Loki does not judge a line that an earlier stage could not read
            return True
        try:
            return COMPARISONS[self.comparison](self.read(text), self.value)
        except ValueError as error:
            line.fail("LabelFilterErr", str(error))
            return True


def number(text: str) -> float:
    """A float as Go reads one."""
    try:
        if "_" in text or text != text.strip():
            raise ValueError
        return float(text)
    except ValueError:
        raise ValueError(f'strconv.ParseFloat: parsing "{text}": invalid syntax') from None


READERS: dict[str, Callable[[str], float]] = {"number": number, "duration": go_duration_ns, "bytes": size_bytes}


@dataclass(frozen=True, slots=True)
class AddressRange:
    """Addresses as ``ip()`` names them: one, a range ``a-b``, or a network. Raises LogQLError for a text that is none of them."""

    pattern: str

    def __post_init__(self) -> None:
        try:
            self.networks()
        except (ValueError, TypeError) as error:
            raise LogQLError(f"parse error : stage '' : ip: invalid pattern. got {self.pattern}") from error

    def networks(self) -> list[IPv4Network | IPv6Network]:
        """The networks that make up the range."""
        if "-" in self.pattern:
            first, last = (ip_address(part.strip()) for part in self.pattern.split("-", 1))
            return [*summarize_address_range(first, last)]
        return [ip_network(self.pattern, strict=False)]

    def holds(self, text: str) -> bool:
        """Whether the text is an address of the range. Raises ValueError where it is no address."""
        address = ip_address(text)
        return any(address in network for network in self.networks())


@dataclass(frozen=True, slots=True)
class AddressFilter:
    """Compares a label as an address."""

    name: str
    is_negated: bool
    addresses: AddressRange

    def accepts(self, line: Line) -> bool:
        text = line.get(self.name)
        if not text:
            return False
        if line.error:
            return True
        try:
            return self.addresses.holds(text) is not self.is_negated
        except ValueError:
            return self.is_negated


@dataclass(frozen=True, slots=True)
class AndFilter:
    """Every condition."""

    parts: tuple[LabelFilter, ...]

    def accepts(self, line: Line) -> bool:
        return all(part.accepts(line) for part in self.parts)


@dataclass(frozen=True, slots=True)
class OrFilter:
    """Any condition."""

    parts: tuple[LabelFilter, ...]

    def accepts(self, line: Line) -> bool:
        return any(part.accepts(line) for part in self.parts)
