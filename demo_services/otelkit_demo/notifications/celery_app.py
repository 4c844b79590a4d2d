"""The worker of notifications: its broker is the shop's, its clock is beat."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from celery import Celery, signals

from otelkit.patterns.events.filesystem import folders

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "otelkit_demo.notifications.settings")

DIGEST_SECONDS = 30.0


def broker(address: str) -> dict[str, Any]:
    """Celery's settings for a broker like ``amqp://...`` or, on a laptop, ``filesystem:///folder``."""
    parts = urlsplit(address)
    if parts.scheme != "filesystem":
        return {"broker_url": address}
    return {
        # The kit's: kombu's own loses a message that is read while it is written.
        "broker_transport": "otelkit.patterns.events.filesystem:Transport",
        "broker_url": "localhost",  # the folder is the address; Celery wants another one
        "broker_transport_options": {**folders(f"{parts.path}/celery"), "polling_interval": 0.2},
    }


app = Celery("notifications")
app.conf.update(
    **broker(os.environ.get("CELERY_BROKER_URL") or os.environ.get("OTELKIT_EVENTS_BROKER", "memory://")),
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
    beat_schedule={"digest": {"task": "otelkit_demo.notifications.tasks.digest", "schedule": DIGEST_SECONDS}},
    beat_scheduler="celery.beat:Scheduler",  # keeps no file: after a restart half a minute begins anew
    imports=("otelkit_demo.notifications.tasks",),
)


@signals.setup_logging.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _leave_logging_alone(**_: object) -> None:
    """Where this signal has a receiver Celery sets no handlers and no levels: Django has set them, and the kit writes."""
