#!/usr/bin/env bash
# schemathesis.sh BERTH DIR   asks a running host, by its own OpenAPI document, what nobody would ask: no answer is a
# failure, and answers are as the document says. Schemathesis comes from PyPI and is kept in DIR.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
berth=$(realpath "$1") dir=$(realpath -m "$2")

mkdir -p "$dir"
keep_venv "$dir/venv" schemathesis.cli 'schemathesis==4.*' || exit 3
data=$(mktemp -d)
trap 'kill "$host" 2>/dev/null || true; wait "$host" 2>/dev/null || true; rm -rf "$data"' EXIT
env -u BERTH_DATABASE_URL -u BERTH_BLOB_URL "$berth" serve --data-dir "$data" --listen 127.0.0.1:0 \
    --public-url https://berth.example >"$dir/host.out" 2>"$dir/host.log" &
host=$!
for _ in $(seq 300); do
    grep -q 'serves on' "$dir/host.out" && break
    kill -0 "$host" || { cat "$dir/host.log" >&2; exit 1; }
    sleep 0.2
done
cd "$dir" # where it keeps its notes
url=$(grep -o 'http://[0-9.:]*' "$dir/host.out" | head -n 1)
token=$("$berth" admin token --data-dir "$data")
# Roles and tokens stay as they are: whoever asks must not lose the right to ask. Of zip and wasm it can make none. Pages
# for people answer in HTML, refusals included, and what a stream carries is no JSON document.
NO_PROXY=127.0.0.1 "$dir/venv/bin/python" -m schemathesis.cli run "$url/openapi.json" \
    --header "Authorization: Bearer $token" --exclude-path-regex '^/v1/(tokens|platform|wechat|events/stream|logs/stream)' \
    --exclude-name 'POST /v1/policies' --exclude-name 'PUT /v1/packages/{name}' \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
    --phases examples,coverage,fuzzing --seed 7 --max-examples 15 --max-time 90 --workers 1 --request-timeout 20 \
    --continue-on-failure --no-shrink --generation-database none --no-color
