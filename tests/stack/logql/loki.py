"""A real Loki for tests marked ``backends``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.backends import free_port, program, running_program
from tests.compose.stack_files import config


@contextmanager
def running_loki(folder: Path) -> Iterator[str]:
    """The base address of a Loki with the limits and labels of the compose stack, on the loopback, its data in ``folder``."""
    port, grpc = free_port(), free_port()
    shipped: dict[str, Any] = config("loki/loki.yml")
    settings = {
        **shipped,
        "server": {
            "http_listen_address": "127.0.0.1",
            "http_listen_port": port,
            "grpc_listen_address": "127.0.0.1",
            "grpc_listen_port": grpc,
            "log_level": "warn",
        },
        "common": {
            "instance_addr": "127.0.0.1",
            "path_prefix": str(folder / "loki"),
            "replication_factor": 1,
            "ring": {"kvstore": {"store": "inmemory"}},
            "storage": {"filesystem": {"chunks_directory": str(folder / "chunks"), "rules_directory": str(folder / "rules")}},
        },
        "compactor": {"working_directory": str(folder / "compactor"), "retention_enabled": True, "delete_request_store": "filesystem"},
        "ingester": {"lifecycler": {"min_ready_duration": "1s"}},
        "frontend": {"scheduler_dns_lookup_period": "1s"},
        "frontend_worker": {"dns_lookup_duration": "1s"},
    }
    settings.pop("ruler", None)
    settings["limits_config"] = {**shipped["limits_config"], "retention_period": "168h"}
    file = folder / "loki.yml"
    file.write_text(yaml.safe_dump(settings))
    url = f"http://127.0.0.1:{port}"
    with running_program([program("loki"), f"-config.file={file}"], folder / "loki.log", f"{url}/ready"):
        yield url
