"""The boards, one file each. A new one is a file here, a line below, and a BoardFact in the catalogue."""

from otelkit_dashboards.boards import access, api, background, database, endpoint, events, resilience, service_overview, telemetry_health
from otelkit_dashboards.model import Dashboard

BOARDS: tuple[Dashboard, ...] = (
    service_overview.BOARD,
    endpoint.BOARD,
    database.BOARD,
    events.BOARD,
    background.BOARD,
    resilience.BOARD,
    access.BOARD,
    api.BOARD,
    telemetry_health.BOARD,
)
