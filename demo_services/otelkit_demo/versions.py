"""Two versions of one service side by side: which services run a second version, beside the one that all began with.

What is wanted is a file in the data folder, ``{"catalog": "1.5.0"}``; the supervisor starts and ends processes to match it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from otelkit_demo.errors import DemoError
from otelkit_demo.faults import BAD_VERSION, DEPLOY_BAD_VERSION
from otelkit_demo.files import replace_file
from otelkit_demo.manifest import SERVICES, Service

_VERSION = re.compile(r"[0-9]+(\.[0-9]+)*([-+.][0-9A-Za-z]+)*")

DEPLOYABLE: tuple[Service, ...] = tuple(service for service in SERVICES if service.serve[0] == "gunicorn")
"""Those whose server lets a second one listen at the same port."""


class Deploys:
    """The file of the second versions, read and written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def wanted(self, faults: Mapping[str, float]) -> dict[str, str]:
        """Service to its second version, by the file and by the fault that deploys a bad one. Empty where the file cannot be read."""
        try:
            content = json.loads(self.path.read_text())
        except (OSError, ValueError):
            content = {}
        known = {service.name for service in DEPLOYABLE}
        wanted = {str(name): str(version) for name, version in content.items() if name in known} if isinstance(content, dict) else {}
        return {**wanted, **({DEPLOY_BAD_VERSION.service: BAD_VERSION} if DEPLOY_BAD_VERSION.name in faults else {})}

    def deploy(self, service: str, version: str) -> None:
        """Want ``version`` of the service beside the first. Raises DemoError for an unknown service, or a version that is none."""
        _check(service)
        if not _VERSION.fullmatch(version):
            raise DemoError(f'"{version}" is not a version. Write numbers and dots, such as 1.5.0.')
        replace_file(self.path, json.dumps({**self.wanted({}), service: version}))

    def take_back(self, service: str) -> bool:
        """Want the first version of the service alone. Whether there was a second. Raises DemoError for an unknown service."""
        _check(service)
        wanted = self.wanted({})
        was = wanted.pop(service, None)
        replace_file(self.path, json.dumps(wanted))
        return was is not None


def _check(service: str) -> None:
    names = [row.name for row in DEPLOYABLE]
    if service not in names:
        raise DemoError(f'"{service}" cannot have two versions at one port. These can: {", ".join(names)}.')
