"""Django: caches, and single templates."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label
from otelkit.catalog.metrics.model import SECONDS_BUCKETS, Kind, Metric

CACHE_NAME = Label("cache.name", "Alias of the cache in Django's settings. Ours.")
CACHE_OPERATION = Label("cache.operation", "What was asked of the cache, like `get` or `set_many`. Ours.")
CACHE_OUTCOME = Label("cache.outcome", "What became of it; `ok` for what neither hits nor misses. Ours.", ("hit", "miss", "error", "ok"))
TEMPLATE_NAME = Label("template.name", "Name of the template, as the view gave it. Ours.")

PHASES = ("cache", "serialization")
"""Values that the label ``phase`` of django.request.phase.duration will have beside those of today."""

DJANGO_CACHE_OPERATION_DURATION = Metric(
    "django.cache.operation.duration",
    Kind.HISTOGRAM,
    "s",
    "Time of one call of a cache.",
    (CACHE_NAME, CACHE_OPERATION, CACHE_OUTCOME),
    SECONDS_BUCKETS,
)
DJANGO_TEMPLATE_RENDER_DURATION = Metric(
    "django.template.render.duration",
    Kind.HISTOGRAM,
    "s",
    "Time to render one template, those that it includes with it.",
    (TEMPLATE_NAME,),
    SECONDS_BUCKETS,
    series_cap=200,  # a name may be made at run time
)
