"""What a test of an alert is: series that arrive, and the alerts that must fire at certain times. No YAML here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from otelkit.catalog.labels import DEPLOYMENT_ENVIRONMENT_NAME, SERVICE_NAME, SERVICE_OWNER, Label
from otelkit.catalog.naming import label_name
from otelkit.catalog.promql import Expr
from otelkit_alerts.model import Alert
from otelkit_alerts.pace import Pace


class Situation(Enum):
    """The situations that acceptance row D3 asks of every alert."""

    FIRING = "firing"
    SILENT = "silent"
    ABSENT = "absent"
    LOW_TRAFFIC = "low traffic"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True)
class Service:
    """The service that a test is about; :attr:`labels` are what Prometheus promotes onto each of its series."""

    name: str = "orders"
    environment: str = "production"
    owner: str = "shop"

    @property
    def labels(self) -> dict[Label, str]:
        """Labels that identify the service and, where it has one, its owner."""
        identity = {SERVICE_NAME: self.name, DEPLOYMENT_ENVIRONMENT_NAME: self.environment}
        return identity | ({SERVICE_OWNER: self.owner} if self.owner else {})


@dataclass(frozen=True, slots=True)
class Input:
    """One series that arrives, in promtool's notation: ``0+80x60`` grows by 80 for 60 samples, ``_x5`` is a gap of five."""

    series: str
    values: str


@dataclass(frozen=True, slots=True)
class Firing:
    """One alert that must fire: its rule, the labels its expression leaves, and the value as its annotations show it."""

    alert: Alert
    labels: Mapping[Label, str]
    value: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """All alerts of the case's name that fire at a time (a Prometheus duration since the first sample)."""

    at: str
    firing: tuple[Firing, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """All samples that an expression must have at a time: their labels as Prometheus writes them, and the value."""

    at: str
    expr: Expr
    samples: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One alert in one situation. ``says`` finishes the sentence that the alert's name begins."""

    alert: str
    situation: Situation
    says: str
    inputs: tuple[Input, ...]
    checks: tuple[Check, ...]
    samples: tuple[Sample, ...] = ()

    @property
    def name(self) -> str:
        """``DjangoTrafficGone, silent: stays quiet when traffic halves``."""
        return f"{self.alert}, {self.situation.value}: {self.says}"


@dataclass(frozen=True, slots=True)
class Suite:
    """Cases for the rules of one pace, whose series have a sample every ``interval``."""

    about: str
    pace: Pace
    interval: str
    cases: tuple[Case, ...]


def series(name: str, labels: Mapping[Label, str], extra: str = "") -> str:
    """A series as promtool reads it: ``name{service_name="orders",...}``."""
    pairs = [f'{label_name(label)}="{value}"' for label, value in labels.items()]
    return f"{name}{{{','.join([*pairs, *([extra] if extra else [])])}}}"


def counter(*phases: tuple[int, float]) -> str:
    """A counter that starts at 0 and, in each phase of (samples, growth per sample), grows steadily."""
    parts, value = ["0"], 0.0
    for samples, growth in phases:
        # Each part begins where the one before ended, plus its own first step.
        parts.append(f"{value + growth:g}{'+' if growth >= 0 else ''}{growth:g}x{samples - 1}")
        value += samples * growth
    return " ".join(parts)


def steady(samples: int) -> str:
    """A gauge that is 1 for so many samples, the first included."""
    return f"1x{samples - 1}"
