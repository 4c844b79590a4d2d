"""Database queries and the pools of their connections."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label

DB_SYSTEM_NAME = Label("db.system.name", "Database product, like `postgresql` or `sqlite`.")
DB_NAMESPACE = Label("db.namespace", "Database name, of Redis its number.")
DB_OPERATION_NAME = Label(
    "db.operation.name", "First word of the statement, like `SELECT`, or a command of Redis, like `GET` or `PIPELINE`."
)
DB_COLLECTION_NAME = Label("db.collection.name", "Table that the statement names first.")
DB_QUERY_SUMMARY = Label("db.query.summary", "Operation and table of the statement, like `SELECT orders_order`.")
DB_QUERY_REPEATED_CALLER = Label(
    "db.query.repeated.caller", "Line that ran the statement again and again, like `orders/views.py:42`. Ours."
)
DB_CLIENT_CONNECTION_POOL_NAME = Label("db.client.connection.pool.name", "Alias of the database in Django's settings that the pool serves.")
DB_CLIENT_CONNECTION_STATE = Label("db.client.connection.state", "Whether the pool holds the connection or has lent it.", ("idle", "used"))
