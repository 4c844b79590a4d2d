"""What any implementation calls. Nothing here raises."""

from __future__ import annotations

from contextlib import suppress

from opentelemetry import trace

from otelkit.catalog.labels import API_DEPRECATED, API_VERSION, CLIENT_NAME, HTTP_ROUTE, OTHER_VALUE
from otelkit.catalog.metrics import API_CONTRACT_VIOLATIONS, API_REQUESTS
from otelkit.metrics import business

_requests = business.recorder(business.BusinessCounter, API_REQUESTS)
_violations = business.recorder(business.BusinessCounter, API_CONTRACT_VIOLATIONS)


def requested(version: str, *, deprecated: bool, client: str = OTHER_VALUE) -> None:
    """A version of the API was asked for. ``version`` and ``client`` are ones that the settings know, never what a header says."""
    _requests.add(1, **{API_VERSION.name: version, API_DEPRECATED.name: deprecated is True, CLIENT_NAME.name: client})
    with suppress(Exception):  # the span may be the project's own
        trace.get_current_span().set_attribute("api.version", version)


def violated(route: str, direction: str, where: str = "") -> None:
    """A ``request`` or a ``response`` was not what the schema of ``route`` allows; ``where`` is a place in the schema, no value."""
    _violations.add(1, **{HTTP_ROUTE.name: route, "direction": direction})
    with suppress(Exception):
        trace.get_current_span().add_event("api.contract.violation", {"direction": direction, "where": where})
