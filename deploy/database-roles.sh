#!/bin/bash
# At each start, as the superuser: makes the owner of the tables and the role that the service logs in
# as, neither of which is one, and gives them the passwords that are theirs now. What the role of the
# service may do in the tables is for the migrations to say.
set -eu
PGPASSWORD=$(cat /secrets/postgres-pass)
OWNER_PASS=$(cat /secrets/db-pass)
SERVICE_PASS=$(cat /secrets/db-service-pass)
export PGPASSWORD OWNER_PASS SERVICE_PASS
psql -XqU postgres -v ON_ERROR_STOP=1 <<'SQL'
\getenv owner_pass OWNER_PASS
\getenv service_pass SERVICE_PASS
SELECT format('CREATE ROLE %I', name) FROM unnest(ARRAY['accounts', 'accounts_service']) AS name
 WHERE to_regrole(name) IS NULL \gexec
ALTER ROLE accounts LOGIN PASSWORD :'owner_pass';
ALTER ROLE accounts_service LOGIN PASSWORD :'service_pass';
ALTER DATABASE accounts OWNER TO accounts;
ALTER SCHEMA public OWNER TO accounts;
REVOKE ALL ON DATABASE accounts FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE accounts TO accounts_service;
GRANT USAGE ON SCHEMA public TO accounts_service;
SQL
