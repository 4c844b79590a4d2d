"""Where the links of an alert lead."""

from __future__ import annotations

from dataclasses import dataclass

from otelkit.catalog.labels import DEPLOYMENT_ENVIRONMENT_NAME, SERVICE_NAME, Label
from otelkit.catalog.naming import label_name
from otelkit_alerts.model import Alert

REPOSITORY_URL = "https://github.com/otelkit/otelkit"

_BOARD_VARIABLES = {"environment": DEPLOYMENT_ENVIRONMENT_NAME, "service": SERVICE_NAME}


@dataclass(frozen=True, slots=True)
class Links:
    """Base addresses, without a slash at the end."""

    grafana: str = "http://127.0.0.1:3000"
    runbooks: str = f"{REPOSITORY_URL}/blob/main/alerts/runbooks"

    def runbook(self, alert: Alert) -> str:
        """Address of the alert's runbook."""
        return f"{self.runbooks}/{alert.runbook}"

    def board(self, alert: Alert) -> str:
        """Address of the alert's board, opened for the service that the alert is about."""
        address = f"{self.grafana}/d/{alert.board.uid}"
        if not alert.is_about_a_service:
            return address
        return address + "?" + "&".join(f"var-{name}={_escaped(_BOARD_VARIABLES[name])}" for name in ("environment", "service"))


def _escaped(label: Label) -> str:
    # urlquery is a built-in of Go's templates, which Prometheus' own functions add to.
    return f"{{{{ $labels.{label_name(label)} | urlquery }}}}"
