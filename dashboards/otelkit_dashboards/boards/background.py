"""Background work: what runs outside of requests."""

from __future__ import annotations

from otelkit.catalog.boards import BACKGROUND
from otelkit_dashboards.boards.choices import DEPLOYS, ENVIRONMENT, FIRING, SERVICE
from otelkit_dashboards.boards.commands import COMMANDS, FAILED_COMMANDS
from otelkit_dashboards.boards.messages import MESSAGES
from otelkit_dashboards.boards.tasks import FAILED_TASKS, QUEUES, TASKS
from otelkit_dashboards.model import Dashboard, Row

BOARD = Dashboard(
    fact=BACKGROUND,
    variables=(ENVIRONMENT, SERVICE),
    annotations=(DEPLOYS, FIRING),
    rows=(Row("summary", "Background work now", (FAILED_TASKS, FAILED_COMMANDS)), QUEUES, TASKS, MESSAGES, COMMANDS),
)
