"""How often one caller may come: a service by its token, anybody else by the address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

if TYPE_CHECKING:
    # It imports what is named in the settings, and so this module.
    from rest_framework.views import APIView


class PerCaller(SimpleRateThrottle):
    """Counted in the process's own cache: with several workers each counts what it sees."""

    scope = "caller"

    def get_cache_key(self, request: Request, view: APIView) -> str:  # noqa: ARG002 - DRF's signature
        known = getattr(request.user, "is_authenticated", False)
        who = str(request.user) if known else self.get_ident(request)
        return f"throttle.{who}"
