#!/bin/sh
# At the start of nginx, which asks for the addresses of the backends when it reads its
# configuration, and never again: from now on, it is told to when there is a new one. One that is
# gone is no reason to: it is left out by itself, and may come back.
set -eu

addresses() { getent ahostsv4 backend | awk '{ print $1 }' | sort -u | tr '\n' ' '; }

follow() {
  known=$1
  while sleep 2; do
    now=$(addresses)
    for address in $now; do
      case " $known" in
      *" $address "*) ;;
      *)
        # Also when nginx is not up yet: it is asked again then.
        nginx -q -s reload && known=$now
        break
        ;;
      esac
    done
  done
}

# Without a backend's address nginx does not start: after a reboot of the machine, nobody but it waits.
until [ -n "$(addresses)" ]; do sleep 1; done
follow "$(addresses)" </dev/null &
