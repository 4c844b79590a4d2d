"""The Celery app: by a folder as its broker, or by what ``SHOP_BROKER`` names."""

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
    return {
        "broker_url": broker,
        "broker_transport_options": options if broker.startswith("filesystem") else {},
        "broker_connection_retry_on_startup": True,
        "result_backend": f"file://{parts['results']}",
        "task_default_queue": "orders",
        "worker_send_task_events": False,
        "worker_enable_remote_control": False,
    }


app = Celery("shop", include=["tests.instrumentation.libraries.celery_shop.tasks"])
if "SHOP_FOLDER" in os.environ:
    app.conf.update(configuration(Path(os.environ["SHOP_FOLDER"]), os.environ.get("SHOP_BROKER", "filesystem://")))
