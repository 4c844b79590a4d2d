"""Whose telemetry it is: on every series, span and log line."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label

SERVICE_NAME = Label("service.name", "Name of the service.")
SERVICE_NAMESPACE = Label("service.namespace", "Group of services that belong together.")
SERVICE_VERSION = Label("service.version", "Version of the service.")
SERVICE_INSTANCE_ID = Label("service.instance.id", "Stable worker slot, `host:slot`.")
SERVICE_CRITICALITY = Label("service.criticality", "How much depends on the service.", ("critical", "high", "medium", "low"))
SERVICE_OWNER = Label("service.owner", "Team that owns the service. Ours.")
DEPLOYMENT_ENVIRONMENT_NAME = Label("deployment.environment.name", "Like `production` or `staging`.")
HOST_NAME = Label("host.name", "Machine or container.")
VCS_REF_HEAD_REVISION = Label("vcs.ref.head.revision", "Commit that the service was built from.")
PROCESS_PID = Label("process.pid", "Process id.")
PROCESS_RUNTIME_NAME = Label("process.runtime.name", "Interpreter, like `cpython`.")
PROCESS_RUNTIME_VERSION = Label("process.runtime.version", "Its version.")
TELEMETRY_SDK_NAME = Label("telemetry.sdk.name", "Whose API the telemetry follows.", ("opentelemetry",))
TELEMETRY_SDK_LANGUAGE = Label("telemetry.sdk.language", "Language of that.", ("python",))
TELEMETRY_SDK_VERSION = Label("telemetry.sdk.version", "Version of OpenTelemetry's SDK.")
TELEMETRY_DISTRO_NAME = Label("telemetry.distro.name", "Who set it up.", ("otelkit",))
TELEMETRY_DISTRO_VERSION = Label("telemetry.distro.version", "Version of otelkit.")
PROMOTED = (
    SERVICE_NAME,
    SERVICE_NAMESPACE,
    SERVICE_VERSION,
    SERVICE_INSTANCE_ID,
    SERVICE_CRITICALITY,
    SERVICE_OWNER,
    DEPLOYMENT_ENVIRONMENT_NAME,
    HOST_NAME,
)
"""Resource attributes that Prometheus copies onto every series (``otlp.promote_resource_attributes``)."""

RESOURCE = (
    *PROMOTED,
    VCS_REF_HEAD_REVISION,
    PROCESS_PID,
    PROCESS_RUNTIME_NAME,
    PROCESS_RUNTIME_VERSION,
    TELEMETRY_SDK_NAME,
    TELEMETRY_SDK_LANGUAGE,
    TELEMETRY_SDK_VERSION,
    TELEMETRY_DISTRO_NAME,
    TELEMETRY_DISTRO_VERSION,
)
"""Everything that the kit says about a process; a project adds its own by `service.attributes`."""
