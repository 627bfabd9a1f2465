#!/usr/bin/env bash
# Two OCI registries for tests, Debian's docker-registry: one that is open to all, and one that knows ann, whose password is secret.
#   tests/setup/registry.sh start DIR   starts them on free ports of 127.0.0.1 and prints the address of each, with a comma between
#   tests/setup/registry.sh stop DIR    stops them and removes what they stored
set -euo pipefail

. "$(dirname "$0")/lib.sh"

install_if_possible() {
    command -v docker-registry >/dev/null && return
    ask_apt docker-registry docker-registry || { say "docker-registry is not installed"; exit 3; }
    # The package starts a server of its own, which nobody needs.
    systemctl disable --now docker-registry >/dev/null 2>&1 || true
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

# one DIR [HTPASSWD]   starts a registry
one() {
    local dir=$1
    mkdir -p "$dir"
    port=$(free_port)
    cat >"$dir/config.yml" <<YML
version: 0.1
log: {level: warn}
storage: {filesystem: {rootdirectory: $dir/store}, delete: {enabled: true}}
http: {addr: 127.0.0.1:$port}
YML
    [ -z "${2:-}" ] || echo "auth: {htpasswd: {realm: test, path: $2}}" >>"$dir/config.yml"
    come_up "$dir" 200 answers docker-registry serve "$dir/config.yml"
    address=127.0.0.1:$port
}

start() {
    install_if_possible
    mkdir -p "$1"
    # bcrypt of "secret"; registries take nothing else.
    echo 'ann:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a' >"$1/htpasswd"
    one "$1/open"
    local open=$address
    one "$1/closed" "$1/htpasswd"
    echo "$open,$address"
}

stop() {
    go_down "$1/open"
    go_down "$1/closed"
    rm -rf "$1"
}

start_or_stop "$@"
