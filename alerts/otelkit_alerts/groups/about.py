"""What alerts have in common: the service each is about, as templates for its annotations, and a share that is too large."""

from __future__ import annotations

from collections.abc import Sequence

from otelkit.catalog.labels import DEPLOYMENT_ENVIRONMENT_NAME, SERVICE_NAME, Label
from otelkit.catalog.naming import label_name
from otelkit.catalog.objectives import TRAFFIC_FLOOR
from otelkit.catalog.promql import Expr, Matcher, ratio


def of_alert(label: Label) -> str:
    """Template of a label's value in the alert that fires: ``{{ $labels.service_name }}``."""
    return f"{{{{ $labels.{label_name(label)} }}}}"


def same(label: Label) -> Matcher:
    """The label has the value that it has in the alert."""
    # Not equals(): a template is none of the values of a closed set.
    return Matcher(label, "=", of_alert(label))


def share_above(limit: float, part: Expr, whole: Expr, by: Sequence[Label]) -> Expr:
    """The share of ``part`` in ``whole`` where it is above the limit, and where enough happens for a share to say anything.

    Both are rates, aggregated by ``by``.
    """
    return (ratio(part, whole) > limit).and_on(by, whole > TRAFFIC_FLOOR)


SERVICE = of_alert(SERVICE_NAME)
ENVIRONMENT = of_alert(DEPLOYMENT_ENVIRONMENT_NAME)

THIS_SERVICE = (same(SERVICE_NAME), same(DEPLOYMENT_ENVIRONMENT_NAME))
"""Conditions for the series of the service that the alert is about."""

AMOUNT = "{{ $value | humanize }}"
"""The value that the expression had, where it counts things: ``12.35k``."""
RATE = '{{ $value | printf "%.2f" }}'
"""The same where it is a rate: ``0.88``, which humanize would write as 880m."""
SHARE = "{{ $value | humanizePercentage }}"
"""The same where it is a share, like ``3.5%``."""
