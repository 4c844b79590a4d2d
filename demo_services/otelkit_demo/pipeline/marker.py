"""Deploy markers: one log record over OTLP for each thing that became of a deploy, found by ``event.name="deployment"``.

Attributes are those of OpenTelemetry's semantic conventions for deployments, ``deployment.status`` among them.
"""

from __future__ import annotations

import json
import time
import urllib.request

from otelkit_demo.errors import DemoError

EVENT = "deployment"
TIMEOUT = 10.0


def post_marker(otlp: str, service: str, version: str, status: str, *, environment: str, revision: str = "") -> None:
    """Tell the OTLP receiver at ``otlp`` what became of the deploy. Raises DemoError where it does not take it."""
    resource = {"service.name": service, "service.version": version, "deployment.environment.name": environment}
    if revision:
        resource["vcs.ref.head.revision"] = revision
    record = {
        "timeUnixNano": str(time.time_ns()),
        "severityNumber": 9,
        "severityText": "INFO",
        "eventName": EVENT,
        "body": {"stringValue": f"deploy of {service} {version} {status}"},
        "attributes": _attributes({"deployment.name": f"{service} {version}", "deployment.status": status}),
    }
    content = {"resourceLogs": [{"resource": {"attributes": _attributes(resource)}, "scopeLogs": [{"logRecords": [record]}]}]}
    address = f"{otlp.rstrip('/')}/v1/logs"
    if not address.startswith(("http://", "https://")):
        raise DemoError(f"Markers go over http or https; {otlp} is neither.")
    request = urllib.request.Request(  # noqa: S310 - checked above
        address, json.dumps(content).encode(), {"content-type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT):  # noqa: S310
            pass
    except OSError as error:
        raise DemoError(f"{otlp} does not take the deploy marker: {error}") from error


def _attributes(values: dict[str, str]) -> list[dict[str, object]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]
