"""Who is let in: throttling."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label
from otelkit.catalog.metrics.model import Kind, Metric

THROTTLE_SCOPE = Label("scope", "Scope of the throttle. Ours.")

THROTTLE_REJECTIONS = Metric(
    "throttle.rejections", Kind.COUNTER, "{request}", "Requests refused because there were too many.", (THROTTLE_SCOPE,)
)
