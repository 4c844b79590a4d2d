"""What a metric is, the buckets that several share, and what belongs to one subject."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import ModuleType

from otelkit.catalog.labels import Label


class Kind(Enum):
    """OpenTelemetry instrument kinds, and the two that only exist as series."""

    COUNTER = "counter"
    UP_DOWN_COUNTER = "up_down_counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"
    """A gauge that is always 1 and speaks by its labels."""


SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Upper bounds in seconds that the semantic conventions advise for HTTP durations."""

LONG_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
"""Upper bounds in seconds for what may take an hour."""

BYTES_BUCKETS = (256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0, 16777216.0)
"""Upper bounds for sizes of bodies, a factor of four apart, up to 16 MiB. The semantic conventions advise none."""

COUNT_BUCKETS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)
"""Upper bounds for counts per request."""

DEFAULT_SERIES_CAP = 2000
"""Label sets a metric may have in one process before further ones share the overflow series (OpenTelemetry's default)."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of the catalogue.

    ``unit`` is UCUM (``s``, ``By``, ``{query}``); ``buckets`` are upper bounds in that unit, for histograms only.
    Raises ValueError for a combination that Prometheus and OpenTelemetry would spell differently.
    """

    name: str
    kind: Kind
    unit: str
    help: str
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()
    series_cap: int = DEFAULT_SERIES_CAP

    def __post_init__(self) -> None:
        if (self.kind is Kind.HISTOGRAM) != bool(self.buckets):
            raise ValueError(f"{self.name}: buckets belong to histograms, and every histogram has them.")
        if self.unit == "1":
            # The OTLP translation appends `_ratio`, Python's exporter does not: one name, two spellings.
            raise ValueError(f'{self.name}: unit "1" is spelled differently on the two roads to Prometheus; use an {{annotation}}.')
        if list(self.buckets) != sorted(set(self.buckets)):
            raise ValueError(f"{self.name}: buckets must rise; they are {self.buckets}.")


@dataclass(frozen=True, slots=True)
class Subject:
    """The metrics of one file, under what its docstring says they are about."""

    title: str
    metrics: tuple[Metric, ...]


def subject_of(module: ModuleType) -> Subject:
    """Every metric that the module declares, in its order."""
    title = (module.__doc__ or "").partition("\n")[0].rstrip(".")
    return Subject(title, tuple(value for value in vars(module).values() if isinstance(value, Metric)))
