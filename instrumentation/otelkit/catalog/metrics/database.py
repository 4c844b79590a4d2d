"""Database queries, and the pools of their connections."""

from __future__ import annotations

from otelkit.catalog import labels as l
from otelkit.catalog.metrics.model import Kind, Metric

DB_CLIENT_OPERATION_DURATION = Metric(
    "db.client.operation.duration",
    Kind.HISTOGRAM,
    "s",
    "Time of one database query, or of one command of Redis.",
    (l.DB_SYSTEM_NAME, l.DB_NAMESPACE, l.DB_OPERATION_NAME, l.DB_COLLECTION_NAME, l.ERROR_TYPE),
    (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0),
)
DB_CLIENT_CONNECTION_COUNT = Metric(
    "db.client.connection.count",
    Kind.UP_DOWN_COUNTER,
    "{connection}",
    "Connections of the pool, by state.",
    (l.DB_CLIENT_CONNECTION_POOL_NAME, l.DB_CLIENT_CONNECTION_STATE),
)
DB_CLIENT_CONNECTION_MAX = Metric(
    "db.client.connection.max",
    Kind.UP_DOWN_COUNTER,
    "{connection}",
    "Connections that the pool may open.",
    (l.DB_CLIENT_CONNECTION_POOL_NAME,),
)
DB_CLIENT_CONNECTION_TIMEOUTS = Metric(
    "db.client.connection.timeouts",
    Kind.COUNTER,
    "{timeout}",
    "Times that nobody got a connection from the pool, because none came free in time or too many waited.",
    (l.DB_CLIENT_CONNECTION_POOL_NAME,),
)
DB_CLIENT_CONNECTION_WAIT_TIME = Metric(
    "db.client.connection.wait_time",
    Kind.HISTOGRAM,
    "s",
    "Time to get a connection from the pool.",
    (l.DB_CLIENT_CONNECTION_POOL_NAME,),
    (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0),
)
