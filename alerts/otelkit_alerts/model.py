"""What a rule is: alerts, recordings and the groups that hold them. No YAML here; :mod:`otelkit_alerts.prometheus` spells it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from otelkit.catalog.boards import BoardFact
from otelkit.catalog.labels import SERVICE_OWNER
from otelkit.catalog.labels import SEVERITY as SEVERITY_LABEL
from otelkit.catalog.naming import label_name
from otelkit.catalog.promql import Expr
from otelkit.catalog.recorded import Recorded

OWNER_OF_SERVICE = f"{{{{ $labels.{label_name(SERVICE_OWNER)} }}}}"
"""Template of the ``team`` label: whoever owns the service that the alert is about."""

_NAME = re.compile(r"([A-Z][a-z0-9]+)+")
_DURATION = re.compile(r"\d+[smhd]")


class Severity(Enum):
    """How soon somebody must look."""

    CRITICAL = "critical"
    """Pages: users are hurt now, and somebody can do something about it."""
    WARNING = "warning"
    """Opens a ticket: tomorrow is soon enough."""
    INFO = "info"
    """Is shown, tells nobody."""
    NONE = "none"
    """Is not about the services: the Watchdog, whose silence is the alarm."""


class Category(Enum):
    """What an alert is about; routes and silences can use it."""

    SLO = "slo"
    TRAFFIC = "traffic"
    TELEMETRY = "telemetry"
    DEPENDENCY = "dependency"
    EVENTS = "events"
    TASKS = "tasks"
    ACCESS = "access"
    API = "api"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alerting rule.

    Several rules may share a name where they say the same by another measure, as the rows of a burn-rate table do; then
    ``labels`` tells them apart. ``hold`` and ``keep_firing`` are Prometheus durations (``2m``), empty for none. Summary and
    description are templates; the description says what to do first. Raises ValueError for a name or duration that is none.
    """

    name: str
    severity: Severity
    category: Category
    expr: Expr
    summary: str
    description: str
    first_look: Expr
    """What to paste into Prometheus first, with the labels of the alert as templates."""
    board: BoardFact
    hold: str = ""
    keep_firing: str = ""
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    owner: str = OWNER_OF_SERVICE
    measures_ratio: bool = False
    """Whether the expression compares a share, and therefore needs a floor of traffic."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no alert name; write it in CamelCase, like DjangoTrafficGone.")
        for what, duration in (("hold", self.hold), ("keep_firing", self.keep_firing)):
            if duration and not _DURATION.fullmatch(duration):
                raise ValueError(f"{what} of {self.name} is {duration!r}; write one number and one of s, m, h, d, like 5m.")
        if taken := {label_name(SEVERITY_LABEL), "category", "team"} & set(self.labels):
            raise ValueError(f"{self.name} sets {', '.join(sorted(taken))} as a label, but every alert has that from its own field.")

    @property
    def is_about_a_service(self) -> bool:
        """Whether its series carry the labels of a service, so that links can lead to it."""
        return self.owner == OWNER_OF_SERVICE

    @property
    def runbook(self) -> str:
        """File name of its runbook: ``django-traffic-gone.md`` for DjangoTrafficGone."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", self.name).lower() + ".md"


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording rule. ``labels`` are those that the rule adds to what the expression has."""

    series: Recorded
    expr: Expr
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that Prometheus evaluates one after the other, every ``interval``: a later one sees what an earlier one recorded."""

    name: str
    interval: str
    rules: tuple[Alert | Recording, ...]

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """The alerting rules of the group."""
        return tuple(rule for rule in self.rules if isinstance(rule, Alert))
