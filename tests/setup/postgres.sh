#!/usr/bin/env bash
# postgres.sh start DIR   starts a PostgreSQL cluster in DIR on a free port of 127.0.0.1 and prints its URL
# postgres.sh stop DIR    ends it and removes DIR
set -euo pipefail
. "$(dirname "$0")/lib.sh"
verb=$1 dir=$2

as_postgres() { # PostgreSQL refuses to run as root
    if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"; else "$@"; fi
}

# The folder of initdb and pg_ctl: Debian's newest, or the one on the path; nothing when there is none.
programs() {
    local newest
    newest=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1 || true)
    if [ -z "$newest" ] && command -v pg_ctl >/dev/null; then newest=$(dirname "$(command -v pg_ctl)"); fi
    echo "$newest"
}

install_if_possible() {
    [ -n "$(programs)" ] || ask_apt pg_ctlcluster postgresql
}

start() {
    mkdir -p "$dir"
    install_if_possible
    bin=$(programs)
    [ -x "$bin/initdb" ] || return 1
    if [ "$(id -u)" = 0 ]; then
        id postgres >/dev/null 2>&1 || useradd --system --no-create-home postgres
        chown postgres "$dir"
        chmod 755 "$dir"
    fi
    port=$(free_port)
    as_postgres "$bin/initdb" -D "$dir/data" -U berth --auth=trust --encoding=UTF8 --locale=C.UTF-8 >"$dir.log" 2>&1
    # Tests want speed; what a power cut leaves is tried elsewhere.
    options="-p $port -k $dir -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=400"
    as_postgres "$bin/pg_ctl" -D "$dir/data" -w -l "$dir/log" -o "$options" start >>"$dir.log" 2>&1
    echo "postgres://berth@127.0.0.1:$port/postgres"
}

stop() {
    bin=$(programs)
    if [ -f "$dir/data/postmaster.pid" ]; then
        as_postgres "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true
    fi
    rm -rf "$dir" "$dir.log"
}

"$verb"
