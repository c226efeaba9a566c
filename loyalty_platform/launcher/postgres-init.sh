#!/bin/sh
# Runs once, when the database's volume is empty: the roles and their passwords.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --file /roles.sql
psql --set ON_ERROR_STOP=1 --set owner="$OWNER_PASSWORD" --set app="$APP_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
ALTER ROLE loyalty_owner PASSWORD :'owner';
ALTER ROLE loyalty_app PASSWORD :'app';
SQL
