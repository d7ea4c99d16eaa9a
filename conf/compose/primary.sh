#!/bin/bash
# Run once by the image of PostgreSQL, on the new primary: who replicates, who watches, who uses the database.
set -eu
psql -v ON_ERROR_STOP=1 -X -q -U "$POSTGRES_USER" -d postgres <<'SQL'
\getenv replicator REPLICATOR_PASSWORD
\getenv control CONTROL_PASSWORD
\getenv app APP_PASSWORD
CREATE ROLE replicator LOGIN REPLICATION PASSWORD :'replicator';
CREATE ROLE pgproxy LOGIN REPLICATION PASSWORD :'control';
GRANT pg_monitor TO pgproxy;
CREATE ROLE app LOGIN PASSWORD :'app';
CREATE DATABASE app OWNER app;
SQL
echo 'host replication replicator all scram-sha-256' >>"$PGDATA/pg_hba.conf"
