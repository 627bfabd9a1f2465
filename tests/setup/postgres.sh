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
    [ -x "$bin/initdb" ] || { say "there is no initdb in '$bin'"; return 1; }
    if [ "$(id -u)" = 0 ]; then
        id postgres >/dev/null 2>&1 || useradd --system --no-create-home postgres
        chown postgres "$dir"
        chmod 755 "$dir"
    fi
    # The folder may be out of reach for the user postgres, its disk full, or the free port taken a moment later.
    local place
    for place in "$dir" /tmp /dev/shm; do
        if start_cluster "$place" 2>"$dir.log"; then return; fi
        say "PostgreSQL did not start in $place:"
        tail -n 20 "$dir.log" "$(cat "$dir/where" 2>/dev/null)/log" >&2 2>/dev/null || true
        df -h "$place" >&2 || true
        remove_cluster
    done
    return 1
}

# start_cluster PLACE   makes a cluster in a new folder of PLACE, starts it and prints its URL
start_cluster() {
    local data port options
    data=$(as_postgres mktemp -d "$1/berth-postgres.XXXXXX") || return 1
    echo "$data" >"$dir/where"
    port=$(free_port)
    # Tests want speed; what a power cut leaves is tried elsewhere. No socket file: its path may be too long.
    options="-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=400"
    as_postgres "$bin/initdb" -D "$data/data" -U berth --auth=trust --encoding=UTF8 --locale=C.UTF-8 >&2 &&
        as_postgres "$bin/pg_ctl" -D "$data/data" -w -l "$data/log" -o "$options" start >&2 &&
        echo "postgres://berth@127.0.0.1:$port/postgres"
}

remove_cluster() {
    if [ -f "$dir/where" ]; then rm -rf "$(cat "$dir/where")" "$dir/where"; fi
}

stop() {
    local data
    bin=$(programs)
    data=$(cat "$dir/where" 2>/dev/null)/data || true
    if [ -f "$data/postmaster.pid" ]; then
        as_postgres "$bin/pg_ctl" -D "$data" -m immediate stop >/dev/null 2>&1 || true
    fi
    remove_cluster
    rm -rf "$dir" "$dir.log"
}

"$verb"
