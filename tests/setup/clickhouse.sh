#!/usr/bin/env bash
# A ClickHouse server for tests.
#   tests/setup/clickhouse.sh start DIR   starts it on a free port of 127.0.0.1 and prints its URL, with user and password
#   tests/setup/clickhouse.sh stop DIR    stops it and removes what it stored
set -euo pipefail

. "$(dirname "$0")/lib.sh"

install_if_possible() {
    command -v clickhouse-server >/dev/null && return
    ask_apt clickhouse-server clickhouse-server || { say "clickhouse-server is not installed"; exit 3; }
    # The package starts a server of its own, which nobody needs.
    systemctl disable --now clickhouse-server >/dev/null 2>&1 || true
}

answers() { curl -fsS --noproxy '*' "http://127.0.0.1:$port/ping" >/dev/null 2>&1; }

# config DIR   HTTP on loopback and nothing else; little memory; a password with signs that addresses and headers must keep
config() {
    cat >"$1/config.xml" <<XML
<yandex>
    <logger><level>warning</level><console>1</console></logger>
    <listen_host>127.0.0.1</listen_host>
    <http_port>$port</http_port>
    <path>$1/data/</path>
    <tmp_path>$1/data/tmp/</tmp_path>
    <user_files_path>$1/data/user_files/</user_files_path>
    <mark_cache_size>67108864</mark_cache_size>
    <mlock_executable>false</mlock_executable>
    <timezone>Asia/Shanghai</timezone>
    <users_config>users.xml</users_config>
    <default_profile>default</default_profile>
    <default_database>default</default_database>
</yandex>
XML
    cat >"$1/users.xml" <<'XML'
<yandex>
    <profiles><default><max_memory_usage>2000000000</max_memory_usage></default></profiles>
    <quotas><default></default></quotas>
    <users>
        <berth>
            <password>pa:ss@w/ord</password>
            <networks><ip>127.0.0.1</ip></networks>
            <profile>default</profile>
            <quota>default</quota>
        </berth>
    </users>
</yandex>
XML
}

start() {
    install_if_possible
    rm -rf "$1"
    mkdir -p "$1/data"
    port=$(free_port)
    config "$1"
    come_up "$1" 300 answers clickhouse-server --config-file="$1/config.xml"
    echo "http://berth:pa%3Ass%40w%2Ford@127.0.0.1:$port"
}

stop() {
    go_down "$1"
    rm -rf "$1"
}

start_or_stop "$@"
