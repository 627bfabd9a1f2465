#!/usr/bin/env bash
# A NATS server with JetStream for tests.
#   tests/setup/nats.sh start DIR   starts it on a free port of 127.0.0.1 and prints its URL
#   tests/setup/nats.sh stop DIR    stops it and removes what it stored
set -euo pipefail

. "$(dirname "$0")/lib.sh"

install_if_possible() {
    command -v nats-server >/dev/null && return
    ask_apt nats-server nats-server || { say "nats-server is not installed"; exit 3; }
    # The package starts a server of its own, which nobody needs.
    systemctl disable --now nats-server >/dev/null 2>&1 || true
}

start() {
    install_if_possible
    mkdir -p "$dir"
    local port
    port=$(free_port)
    nats-server --addr 127.0.0.1 --port "$port" --jetstream --store_dir "$dir/store" >"$dir/server.log" 2>&1 &
    echo $! >"$dir/pid"
    for _ in $(seq 100); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && { echo "nats://127.0.0.1:$port"; return; }
        sleep 0.1
    done
    cat "$dir/server.log" >&2
    say "the server does not answer"
    exit 1
}

stop() {
    [ -e "$dir/pid" ] || return 0
    kill "$(cat "$dir/pid")" 2>/dev/null || true
    rm -rf "$dir"
}

if [ $# != 2 ]; then sed -n '2,4s/^# //p' "$0" >&2; exit 2; fi
dir=$(realpath -m "$2")
case $1 in
    start) start ;;
    stop) stop ;;
    *) sed -n '2,4s/^# //p' "$0" >&2; exit 2 ;;
esac
