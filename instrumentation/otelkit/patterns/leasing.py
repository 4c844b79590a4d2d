"""Leases in rows that have ``leased_until`` and ``leased_by``: whoever's lease has run out is taken for dead."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone


def free() -> Q:
    """Rows that nobody has now."""
    return Q(leased_until__isnull=True) | Q(leased_until__lt=timezone.now())
