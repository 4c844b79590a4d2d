"""Spans that have a name and nobody who makes them, and attributes that those of today will get."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label
from otelkit.catalog.spans import SpanFact

DJANGO_VIEW = Label("django.view", "Name of the URL pattern that matched. Ours.")
URL_TEMPLATE = Label("url.template", "Pattern of the address that was called, where the caller knows it.")

TO_REQUEST = (DJANGO_VIEW,)
"""Attributes that the span of a request will have beside those of today."""
TO_OUTBOUND = (URL_TEMPLATE,)
"""Attributes that the span of an outbound call will have beside those of today."""

SPANS_AHEAD: tuple[SpanFact, ...] = ()
"""Every span that has a name and nobody who makes it."""
