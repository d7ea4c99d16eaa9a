#!/bin/bash
# Starts a streaming replica of the host primary; the first time it is copied from there. Arguments go to postgres.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    mkdir -p -m 0700 "$PGDATA"
    pg_basebackup -d 'host=primary user=replicator' -D "$PGDATA" -X stream -R
fi
exec postgres "$@"
