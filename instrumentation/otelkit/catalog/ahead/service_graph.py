"""The service graph, by recording rules over the Collector's span metrics; the names are those that Grafana's service map reads."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label
from otelkit.catalog.metrics.model import SECONDS_BUCKETS, Kind, Metric

CLIENT = Label("client", "Service that calls, or that sends the message.")
SERVER = Label("server", "Service, database or queue that is called.")
CONNECTION_TYPE = Label("connection_type", "Absent between two services.", ("database", "messaging_system"))

_EDGE = (CLIENT, SERVER, CONNECTION_TYPE)

TRACES_SERVICE_GRAPH_REQUEST = Metric("traces.service_graph.request", Kind.COUNTER, "", "Calls along one edge of the graph.", _EDGE)
TRACES_SERVICE_GRAPH_REQUEST_FAILED = Metric("traces.service_graph.request.failed", Kind.COUNTER, "", "Those of them that failed.", _EDGE)
TRACES_SERVICE_GRAPH_REQUEST_SERVER = Metric(
    "traces.service_graph.request.server", Kind.HISTOGRAM, "s", "Their time, as the called side measured it.", _EDGE, SECONDS_BUCKETS
)
