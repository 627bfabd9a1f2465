#!/usr/bin/env bash
# Runs all tests. Starts a PostgreSQL of its own for them, and ends it, whatever comes of the tests.
set -euo pipefail
cd "$(dirname "$0")/../.."

cluster=$(mktemp -d)
trap 'tests/setup/postgres.sh stop "$cluster"' EXIT

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

cargo build --locked -p berth
cargo test --locked --workspace
# The host's own tests ran on SQLite or PostgreSQL, by the variable; so they run once more on the other.
if [ -n "${BERTH_TEST_POSTGRES:-}" ]; then
    echo "=== the host's tests of storage, once more, on SQLite ==="
    env -u BERTH_TEST_POSTGRES cargo test --locked -p berth --lib -- check:: rollout::
fi
