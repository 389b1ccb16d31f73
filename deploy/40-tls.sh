#!/bin/sh
# At the start of nginx: TLS is on when there is a certificate.
set -eu
mkdir -p /tmp/tls
rm -f /tmp/tls/*.conf
if [ -e /etc/nginx/tls/tls.crt ]; then
  port=:${HTTPS_PORT:-443}
  [ "$port" != :443 ] || port=
  sed "s/@HTTPS_PORT@/$port/" /etc/nginx/tls.conf >/tmp/tls/tls.conf
fi
