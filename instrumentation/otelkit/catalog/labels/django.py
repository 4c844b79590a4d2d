"""Caches, templates and what else Django does inside of a request."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label

CACHE_NAME = Label("cache.name", "Alias of the cache in Django's settings; absent for one that was made without them. Ours.")
CACHE_OPERATION = Label("cache.operation", "What was asked of the cache, like `get` or `set_many`. Ours.")
CACHE_OUTCOME = Label(
    "cache.outcome",
    "What became of it: `hit` where everything was there, `miss` where something was not, `ok` for what neither hits nor misses. Ours.",
    ("hit", "miss", "error", "ok"),
)
CACHE_HITS = Label("cache.hits", "Values that the request found in its caches; also on the access line. Ours.")
CACHE_MISSES = Label("cache.misses", "Values that it did not find there; also on the access line. Ours.")
THROTTLE_SCOPE = Label("scope", "Scope of the throttle that refused, like `anon`, or its class where it has none. Ours.")
VALIDATION_ERROR_COUNT = Label("validation.error.count", "Errors that a serializer or schema found in what was sent. Ours.")
TEMPLATE_NAME = Label("template.name", "Name of the template that was asked for; absent for one that was made of a text. Ours.")
