#!/bin/sh
# At the start of nginx: TLS is on when there is a certificate.
set -eu
mkdir -p /tmp/tls
rm -f /tmp/tls/*.conf
[ ! -e /etc/nginx/tls/tls.crt ] || cp /etc/nginx/tls.conf /tmp/tls/
