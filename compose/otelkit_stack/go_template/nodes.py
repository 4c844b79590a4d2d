"""A template as a tree."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Where:
    """A part of the template, to be named when it fails."""

    text: str
    place: str
    """Line and byte of the line."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal: text, number, truth value or nil."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Dot:
    """The data at hand."""


@dataclass(frozen=True, slots=True)
class Variable:
    name: str


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    where: Where


@dataclass(frozen=True, slots=True)
class Fields:
    """Fields of a value, one inside the other."""

    base: Operand
    names: tuple[str, ...]
    where: Where


@dataclass(frozen=True, slots=True)
class Command:
    """A value, or a function with its arguments."""

    operands: tuple[Operand, ...]
    where: Where


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands, each of which gets the value of the one before as its last argument."""

    commands: tuple[Command, ...]
    variables: tuple[str, ...] = ()
    """Names that the value is given."""
    is_assignment: bool = False
    """Whether they are known already."""


Operand = Constant | Dot | Variable | Function | Fields | Pipeline


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Output:
    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class Branch:
    """``if``, ``with`` or ``range``."""

    kind: str
    pipeline: Pipeline
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Jump:
    """``break`` or ``continue``."""

    kind: str


Node = Text | Output | Branch | Jump
