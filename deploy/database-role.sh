#!/bin/bash
# At the first start of the database: the service owns its database, and is no superuser.
set -eu
DB_PASS=$(cat /docker-entrypoint-initdb.d/db-pass)
export DB_PASS
psql -X -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
\getenv password DB_PASS
CREATE ROLE accounts LOGIN PASSWORD :'password';
ALTER DATABASE accounts OWNER TO accounts;
ALTER SCHEMA public OWNER TO accounts;
SQL
