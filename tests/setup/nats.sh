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

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

start() {
    install_if_possible
    mkdir -p "$1"
    port=$(free_port)
    come_up "$1" 100 answers nats-server --addr 127.0.0.1 --port "$port" --jetstream --store_dir "$1/store"
    echo "nats://127.0.0.1:$port"
}

stop() {
    go_down "$1"
    rm -rf "$1"
}

start_or_stop "$@"
