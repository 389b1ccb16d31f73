#!/bin/sh
# Runs once before everything else, as root and without a network: hands each service the secrets
# that it needs, in a volume of its own, readable by nobody but the user it runs as. What the
# operator set is taken, from the environment or from a file; what nobody set is made at the first
# start and kept. Never prints one.
set -eu
umask 077

NODE=1000 POSTGRES=999 NGINX=101

given() { # NAME: what the operator set
  eval "value=\${$1:-}"
  if [ -s "/run/secrets/$1" ]; then
    if [ -n "$value" ]; then
      echo "$1_FILE is set and $1 too: leave one of them empty" >&2
      exit 1
    fi
    value=$(cat "/run/secrets/$1")
  fi
  printf %s "$value"
}

random() { head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

put() { # OWNER FILE [MODE]: what comes in, whole or not at all
  cat >"$2.new"
  chmod "${3:-400}" "$2.new"
  chown "$1:$1" "$2.new"
  mv -f "$2.new" "$2"
}

keep() { # VALUE FILE: of the backend; without one, what was there before, or nothing
  if [ -n "$1" ] || [ ! -e "$2" ]; then
    printf %s "$1" | put $NODE "$2"
  fi
}

key=$(given SECRET_KEY)
[ -n "$key" ] || [ -s /secrets/backend/secret-key ] || key=$(random)
keep "$key" /secrets/backend/secret-key
previous=$(given SECRET_KEY_PREVIOUS)
printf %s "$previous" | put $NODE /secrets/backend/secret-key-previous

smtp=$(given SMTP_URL)
keep "$smtp" /secrets/backend/smtp-url
token=$(given METRICS_TOKEN)
keep "$token" /secrets/backend/metrics-token

# Of the owner of the tables, as whom nothing but the migrations run.
password=$(given DB_PASS)
[ -n "$password" ] || password=$(cat /secrets/database/db-pass 2>/dev/null || random)
printf %s "$password" | put $POSTGRES /secrets/database/db-pass
printf %s "$password" | put $NODE /secrets/migrate/db-pass

# Of the service, and of the superuser, who sees to these roles.
for name in db-service-pass postgres-pass; do
  [ -s "/secrets/database/$name" ] || random | put $POSTGRES "/secrets/database/$name"
done
put $NODE /secrets/backend/db-pass </secrets/database/db-service-pass
put $POSTGRES /secrets/database/roles.sh 500 <"$(dirname "$0")/database-roles.sh"

if [ -s /run/secrets/TLS_CERT ]; then
  put $NGINX /secrets/nginx/tls.key </run/secrets/TLS_KEY
  put $NGINX /secrets/nginx/tls.crt </run/secrets/TLS_CERT
else
  rm -f /secrets/nginx/tls.crt /secrets/nginx/tls.key
fi
chmod 755 /secrets/*
