#!/usr/bin/env bash
# Runs all tests. Starts a PostgreSQL of its own for them, and ends it, whatever comes of the tests.
set -euo pipefail
cd "$(dirname "$0")/../.."

cluster=$(mktemp -d)
s3=${CARGO_TARGET_DIR:-target}/s3
nats=${CARGO_TARGET_DIR:-target}/nats
trap 'tests/setup/postgres.sh stop "$cluster"; tests/setup/s3.sh stop "$s3"; tests/setup/nats.sh stop "$nats"' EXIT

if [ -z "${BERTH_TEST_POSTGRES:-}" ]; then
    if url=$(tests/setup/postgres.sh start "$cluster"); then
        export BERTH_TEST_POSTGRES=$url
    elif [ "${CI:-}" = true ]; then
        echo "PostgreSQL could not be started, and in CI nothing is skipped." >&2
        exit 1
    else
        echo "=== SKIPPED: the tests on PostgreSQL. Install it (Debian: apt-get install postgresql) to run them. ===" >&2
    fi
fi

if endpoint=$(tests/setup/s3.sh start "$s3"); then
    export BERTH_TEST_S3=$endpoint AWS_ENDPOINT_URL=$endpoint AWS_ALLOW_HTTP=true AWS_REGION=us-east-1
    export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
elif [ "${CI:-}" = true ]; then
    echo "The S3 server could not be started, and in CI nothing is skipped." >&2
    exit 1
else
    echo "=== SKIPPED: the tests on S3. They need python3 and PyPI. ===" >&2
fi

if url=$(tests/setup/nats.sh start "$nats"); then
    export BERTH_TEST_NATS=$url
elif [ "${CI:-}" = true ]; then
    echo "The NATS server could not be started, and in CI nothing is skipped." >&2
    exit 1
else
    echo "=== SKIPPED: the tests on NATS. Install it (Debian: apt-get install nats-server) to run them. ===" >&2
fi

if modules=$(tests/setup/npm.sh "${CARGO_TARGET_DIR:-target}/npm"); then
    export BERTH_TEST_NODE_MODULES=$modules
elif [ "${CI:-}" = true ]; then
    echo "The npm packages could not be installed, and in CI nothing is skipped." >&2
    exit 1
else
    echo "=== SKIPPED: the tests by the libraries of others. They need Node and npm. ===" >&2
fi

cargo test --locked --workspace
# The host's own tests ran on SQLite or PostgreSQL, by the variable; so they run once more on the other.
if [ -n "${BERTH_TEST_POSTGRES:-}" ]; then
    echo "=== the host's tests of storage, once more, on SQLite ==="
    env -u BERTH_TEST_POSTGRES cargo test --locked --workspace --lib -- check:: rollout:: endpoint:: event::
fi

echo "=== the whole API, by its own description ==="
target=${CARGO_TARGET_DIR:-target}
tests/setup/schemathesis.sh "$target/debug/berth-under-test" "$target/schemathesis" || {
    status=$?
    if [ "$status" != 3 ] || [ "${CI:-}" = true ]; then exit "$status"; fi
    echo "=== SKIPPED: schemathesis. It needs python3 and PyPI. ===" >&2
}
