#!/usr/bin/env bash
# An S3 for tests: moto's server, from PyPI, in a virtual environment that is kept.
#   tests/setup/s3.sh start DIR   starts it on a free port of 127.0.0.1, makes a bucket and prints the endpoint
#   tests/setup/s3.sh stop DIR    stops it
set -euo pipefail

. "$(dirname "$0")/lib.sh"

start() {
    mkdir -p "$dir"
    keep_venv "$dir/venv" moto.server 'moto[server]==5.*' || exit 3
    local port
    port=$(free_port)
    "$dir/venv/bin/python" -m moto.server -H 127.0.0.1 -p "$port" >"$dir/server.log" 2>&1 &
    echo $! >"$dir/pid"
    for _ in $(seq 100); do
        if curl -fsS --noproxy '*' -X PUT "http://127.0.0.1:$port/berth" \
            -H 'Authorization: AWS4-HMAC-SHA256 Credential=test/20300101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0' \
            >/dev/null 2>&1; then
            echo "http://127.0.0.1:$port"
            return
        fi
        sleep 0.2
    done
    cat "$dir/server.log" >&2
    say "moto does not answer"
    exit 1
}

stop() {
    [ -e "$dir/pid" ] || return 0
    kill "$(cat "$dir/pid")" 2>/dev/null || true
    rm -f "$dir/pid"
}

if [ $# != 2 ]; then sed -n '2,4s/^# //p' "$0" >&2; exit 2; fi
dir=$(realpath -m "$2")
case $1 in
    start) start ;;
    stop) stop ;;
    *) sed -n '2,4s/^# //p' "$0" >&2; exit 2 ;;
esac
