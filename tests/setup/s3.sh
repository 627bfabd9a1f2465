#!/usr/bin/env bash
# An S3 for tests: moto's server, from PyPI, in a virtual environment that is kept.
#   tests/setup/s3.sh start DIR   starts it on a free port of 127.0.0.1, makes a bucket and prints the endpoint
#   tests/setup/s3.sh stop DIR    stops it
set -euo pipefail

. "$(dirname "$0")/lib.sh"

makes_bucket() {
    curl -fsS --noproxy '*' -X PUT "http://127.0.0.1:$port/berth" \
        -H 'Authorization: AWS4-HMAC-SHA256 Credential=test/20300101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0' \
        >/dev/null 2>&1
}

start() {
    mkdir -p "$1"
    keep_venv "$1/venv" moto.server 'moto[server]==5.*' || exit 3
    port=$(free_port)
    come_up "$1" 200 makes_bucket "$1/venv/bin/python" -m moto.server -H 127.0.0.1 -p "$port"
    echo "http://127.0.0.1:$port"
}

stop() { go_down "$1"; }

start_or_stop "$@"
