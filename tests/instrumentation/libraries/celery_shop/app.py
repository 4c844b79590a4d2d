"""The Celery app. Its broker is a folder, or what ``SHOP_BROKER`` names; in the process of the tests its memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from celery import Celery


def configuration(folder: Path, broker: str = "filesystem://") -> dict[str, Any]:
    """The settings of an app whose messages and results lie in the folder; made where it lacks."""
    parts = {name: folder / name for name in ("queue", "processed", "control", "results")}
    for part in parts.values():
        part.mkdir(parents=True, exist_ok=True)
    options = {
        "data_folder_in": str(parts["queue"]),
        "data_folder_out": str(parts["queue"]),
        "processed_folder": str(parts["processed"]),
        "control_folder": str(parts["control"]),
        "polling_interval": 0.02,
    }
    transport = os.environ.get("SHOP_TRANSPORT")
    return {
        # With a transport of its own the folder is the address, and Celery wants another one all the same.
        **({"broker_transport": transport, "broker_url": "localhost"} if transport else {"broker_url": broker}),
        "broker_transport_options": options if broker.startswith("filesystem") else {},
        "broker_connection_retry_on_startup": True,
        "result_backend": f"file://{parts['results']}",
        "task_default_queue": "orders",
        "worker_hijack_root_logger": os.environ.get("SHOP_HIJACK", "1") == "1",
        "worker_enable_remote_control": False,
        "beat_schedule": {f"every now and then: {task}": {"task": task, "schedule": 0.5} for task in _scheduled()},
    }


def _scheduled() -> list[str]:
    """The tasks that ``SHOP_SCHEDULE`` names, which beat sends twice a second."""
    return os.environ.get("SHOP_SCHEDULE", "").split()


IN_THIS_PROCESS: dict[str, Any] = {
    "broker_url": "memory://",
    "broker_transport_options": {"polling_interval": 0.01},
    "result_backend": "cache+memory://",
    "task_default_queue": "orders",
    "worker_enable_remote_control": False,
}

app = Celery("shop", include=["tests.instrumentation.libraries.celery_shop.tasks"])
folder = os.environ.get("SHOP_FOLDER")
app.conf.update(configuration(Path(folder), os.environ.get("SHOP_BROKER", "filesystem://")) if folder else IN_THIS_PROCESS)


class Sender(Celery):
    """Sends messages that are whole when a worker sees them: kombu's broker in a folder writes into files that are seen already."""

    outgoing: Path | None = None
    queue: Path

    def send_task(self, *arguments: Any, **options: Any) -> Any:
        """As Celery's."""
        result = super().send_task(*arguments, **options)
        if self.outgoing is not None:
            for file in self.outgoing.iterdir():
                file.rename(self.queue / file.name)
        return result


def sender(folder: Path, broker: str = "filesystem://") -> Celery:
    """An app that sends to the workers of the folder."""
    app = Sender("sender", set_as_current=False)
    app.conf.update(configuration(folder, broker))
    if broker.startswith("filesystem"):
        app.outgoing, app.queue = folder / "outgoing", folder / "queue"
        app.outgoing.mkdir(exist_ok=True)
        app.conf.broker_transport_options = {**app.conf.broker_transport_options, "data_folder_out": str(app.outgoing)}
    return app
