#!/bin/sh
# Run once, where the database is made: Seedleaf's role owns its database and is no superuser.
# The superuser has no password afterwards: it is reached from within the container only (docker compose exec).
set -eu
psql --set ON_ERROR_STOP=1 --set password="$POSTGRES_PASSWORD" --username postgres --dbname postgres << 'SQL'
CREATE ROLE seedleaf LOGIN PASSWORD :'password';
CREATE DATABASE seedleaf OWNER seedleaf;
ALTER ROLE postgres PASSWORD NULL;
SQL
