#!/usr/bin/env bash
# Debian's Chromium for tests, behind its chromedriver (W3C WebDriver).
#   tests/setup/browser.sh start DIR   starts the driver on a free port of 127.0.0.1 and prints its URL
#   tests/setup/browser.sh stop DIR    stops it, with the browsers that it has started
set -euo pipefail

. "$(dirname "$0")/lib.sh"

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

start() {
    ask_apt chromium chromium || { say "Chromium is not installed"; exit 3; }
    ask_apt chromedriver chromium-driver || { say "chromedriver is not installed"; exit 3; }
    mkdir -p "$1"
    port=$(free_port)
    come_up "$1" 100 answers chromedriver --port="$port" --log-level=SEVERE
    echo "http://127.0.0.1:$port"
}

stop() {
    go_down "$1"
    rm -rf "$1"
}

start_or_stop "$@"
