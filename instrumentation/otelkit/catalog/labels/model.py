"""What a label is, on whatever it stands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    """One dimension of a metric, or one attribute of a span, a log line or a resource.

    ``values`` is the closed set of values, or empty where the set is open (and therefore capped when recorded).
    """

    name: str
    help: str
    values: tuple[str, ...] = ()
