"""Rules as a file says them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from otelkit_stack.promql.labels import Labels


class Language(Enum):
    """What a rule's expression is written in."""

    PROMQL = "PromQL"
    LOGQL = "LogQL"


@dataclass(frozen=True, slots=True)
class RecordingRule:
    """Stores an expression's vector under a name of its own."""

    name: str
    expression: str
    labels: Labels = field(default_factory=Labels)


@dataclass(frozen=True, slots=True)
class AlertingRule:
    """Makes an alert of each series of an expression's vector."""

    name: str
    expression: str
    hold_ms: int = 0
    """How long a series must be there before its alert fires."""
    keep_firing_ms: int = 0
    """How long the alert goes on firing after its series has gone."""
    labels: Labels = field(default_factory=Labels)
    """Values are templates."""
    annotations: Labels = field(default_factory=Labels)
    """Values are templates."""


Rule = RecordingRule | AlertingRule


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated one after the other, at the same moment."""

    name: str
    file: str
    rules: Sequence[Rule]
    interval_ms: int | None = None
    """None where the file leaves it to the default."""
    query_offset_ms: int = 0
    limit: int = 0
    """Most series, or alerts, that one rule may give; 0 for any number."""
    language: Language = Language.PROMQL
    """Of all expressions of the group."""
