#!/bin/bash
# First start only: one role and one database per service, so that no service can read another's tables.
set -euo pipefail

service_database() {
  # As variables of psql, which quotes them: a password may hold anything. On standard input, because -c expands no variables.
  psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres --set name="$1" --set password="$2" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password' CONNECTION LIMIT 40;
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
}

service_database gateway "$GATEWAY_DB_PASSWORD"
service_database orders "$ORDERS_DB_PASSWORD"
service_database inventory "$INVENTORY_DB_PASSWORD"
service_database catalog "$CATALOG_DB_PASSWORD"
service_database payments "$PAYMENTS_DB_PASSWORD"
service_database notifications "$NOTIFICATIONS_DB_PASSWORD"
