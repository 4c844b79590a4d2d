"""Checks of labels that the project declares itself: each value of one is a series."""

from __future__ import annotations

import re
from collections.abc import Iterator

from otelkit.checks.check import Finding, Project, check
from otelkit.metrics.business import declared

_ONE_EACH = re.compile(
    r"(?:.*_)?(?:id|ids|pk|uuid|guid|email|mail|phone|user|username|login|customer|account|person"
    r"|ip|address|url|uri|path|query|timestamp|time|date)"
)
"""Names of what has a value for each person, order or request."""


@check("W066")
def label_has_a_value_for_each(project: Project) -> Iterator[Finding]:
    """A business metric has a label whose values are not listed, and whose name says that there is one for each user, order or request.
    Each value is a series of its own; from metrics.series_cap on the rest share one."""
    for metric in declared():
        for label in metric.labels:
            if not label.values and _ONE_EACH.fullmatch(label.name):
                cap = project.config.metrics.series_cap
                yield Finding(
                    f"{metric.name} has the label {label.name} with any value: each is a series of its own, and from {cap} on they "
                    "share one.",
                    f"Put it on the span or into the log line instead; or list its values, if they are few: "
                    f'labels={{"{label.name}": ("one", "another")}}.',
                )


CHECKS = (label_has_a_value_for_each,)
