"""Django: caches, and single templates."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label
from otelkit.catalog.metrics.model import SECONDS_BUCKETS, Kind, Metric

TEMPLATE_NAME = Label("template.name", "Name of the template, as the view gave it. Ours.")

PHASES = ("serialization",)
"""Values that the label ``phase`` of django.request.phase.duration will have beside those of today."""

DJANGO_TEMPLATE_RENDER_DURATION = Metric(
    "django.template.render.duration",
    Kind.HISTOGRAM,
    "s",
    "Time to render one template, those that it includes with it.",
    (TEMPLATE_NAME,),
    SECONDS_BUCKETS,
    series_cap=200,  # a name may be made at run time
)
