#!/usr/bin/env bash
# postgres.sh start DIR   starts a PostgreSQL cluster in DIR on a free port of 127.0.0.1 and prints its URL
# postgres.sh stop DIR    ends it and removes DIR
set -euo pipefail
verb=$1 dir=$2

as_postgres() { # PostgreSQL refuses to run as root
    if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"; else "$@"; fi
}

programs() {
    ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1
    dirname "$(command -v pg_ctl 2>/dev/null)" 2>/dev/null || true
}

install_if_possible() {
    [ -n "$(programs)" ] && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql; } >&2
    fi
}

start() {
    install_if_possible
    bin=$(programs | head -n 1)
    [ -x "$bin/initdb" ] || return 1
    if [ "$(id -u)" = 0 ]; then
        id postgres >/dev/null 2>&1 || useradd --system --no-create-home postgres
        chown postgres "$dir"
        chmod 755 "$dir"
    fi
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    as_postgres "$bin/initdb" -D "$dir/data" -U berth --auth=trust --encoding=UTF8 --locale=C.UTF-8 >"$dir.log" 2>&1
    # Tests want speed; what a power cut leaves is tried elsewhere.
    options="-p $port -k $dir -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=400"
    as_postgres "$bin/pg_ctl" -D "$dir/data" -w -l "$dir/log" -o "$options" start >>"$dir.log" 2>&1
    echo "postgres://berth@127.0.0.1:$port/postgres"
}

stop() {
    bin=$(programs | head -n 1)
    if [ -f "$dir/data/postmaster.pid" ]; then
        as_postgres "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true
    fi
    rm -rf "$dir" "$dir.log"
}

"$verb"
