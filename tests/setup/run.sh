#!/usr/bin/env bash
# Runs all tests. Starts a PostgreSQL of its own for them, and ends it, whatever comes of the tests.
set -euo pipefail
cd "$(dirname "$0")/../.."

cluster=$(mktemp -d)
s3=${CARGO_TARGET_DIR:-target}/s3
nats=${CARGO_TARGET_DIR:-target}/nats
clickhouse=${CARGO_TARGET_DIR:-target}/clickhouse
browser=${CARGO_TARGET_DIR:-target}/browser
registry=${CARGO_TARGET_DIR:-target}/registry
trap 'tests/setup/postgres.sh stop "$cluster"; tests/setup/s3.sh stop "$s3"; tests/setup/nats.sh stop "$nats"; tests/setup/clickhouse.sh stop "$clickhouse"; tests/setup/browser.sh stop "$browser"; tests/setup/registry.sh stop "$registry"' EXIT

# missing WHAT HOW   says loudly what is left out and how to have it; in CI that is the end
missing() {
    if [ "${CI:-}" = true ]; then
        echo "What it takes for $1 could not be had, and in CI nothing is skipped. $2" >&2
        exit 1
    fi
    echo "=== SKIPPED: $1. $2 ===" >&2
}

if [ -z "${BERTH_TEST_POSTGRES:-}" ]; then
    if url=$(tests/setup/postgres.sh start "$cluster"); then
        export BERTH_TEST_POSTGRES=$url
    else
        missing "the tests on PostgreSQL" "Install it (Debian: apt-get install postgresql) to run them."
    fi
fi

if endpoint=$(tests/setup/s3.sh start "$s3"); then
    export BERTH_TEST_S3=$endpoint AWS_ENDPOINT_URL=$endpoint AWS_ALLOW_HTTP=true AWS_REGION=us-east-1
    export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
else
    missing "the tests on S3" "They need python3 and PyPI."
fi

if url=$(tests/setup/nats.sh start "$nats"); then
    export BERTH_TEST_NATS=$url
else
    missing "the tests on NATS" "Install it (Debian: apt-get install nats-server) to run them."
fi

if url=$(tests/setup/clickhouse.sh start "$clickhouse"); then
    export BERTH_TEST_CLICKHOUSE=$url
else
    missing "the tests on ClickHouse" "Install it (Debian 12: apt-get install clickhouse-server) to run them."
fi

if url=$(tests/setup/browser.sh start "$browser"); then
    export BERTH_TEST_BROWSER=$url
else
    missing "the tests of the console in a browser" "Install it (Debian: apt-get install chromium chromium-driver) to run them."
fi

if addresses=$(tests/setup/registry.sh start "$registry"); then
    export BERTH_TEST_REGISTRY=$addresses
else
    missing "the tests on OCI registries" "Install it (Debian: apt-get install docker-registry) to run them."
fi

if python=$(tests/setup/oras.sh "${CARGO_TARGET_DIR:-target}/oras"); then
    export BERTH_TEST_ORAS=$python
else
    missing "the tests of OCI registries by oras" "They need python3, PyPI and openssl."
fi

if python=$(tests/setup/otlp.sh "${CARGO_TARGET_DIR:-target}/otlp"); then
    export BERTH_TEST_OTLP_PYTHON=$python
else
    missing "the tests of exported logs by OpenTelemetry's own messages" "They need python3 and PyPI."
fi

if modules=$(tests/setup/npm.sh "${CARGO_TARGET_DIR:-target}/npm"); then
    export BERTH_TEST_NODE_MODULES=$modules
else
    missing "the tests by the libraries of others" "They need Node and npm."
fi

if python=$(tests/setup/scim.sh "${CARGO_TARGET_DIR:-target}/scim"); then
    export BERTH_TEST_SCIM=$python
else
    missing "the tests by SCIM's own tester" "They need python3 and PyPI."
fi

for program in curl jq openssl python3; do
    (. tests/setup/lib.sh && ask_apt "$program" "$program") || missing "the walkthroughs of the documents" "Install $program to run them."
done

# Not the benchmarks, which would only be linked: 360 MB and some ten seconds each. Clippy and `make bench…` build them.
cargo test --locked --workspace --lib --bins --tests
cargo test --locked --workspace --doc
# The host's own tests ran on SQLite or PostgreSQL, by the variable; so they run once more on the other. All of them: a list
# of those that store something missed one that failed on SQLite alone.
if [ -n "${BERTH_TEST_POSTGRES:-}" ]; then
    echo "=== the host's own tests, once more, on SQLite ==="
    env -u BERTH_TEST_POSTGRES cargo test --locked --workspace --lib
fi

echo "=== the whole API, by its own description ==="
target=${CARGO_TARGET_DIR:-target}
tests/setup/schemathesis.sh "$target/debug/berth-under-test" "$target/schemathesis" || {
    status=$?
    [ "$status" = 3 ] || exit "$status"
    missing "schemathesis" "It needs python3 and PyPI."
}
