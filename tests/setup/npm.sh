#!/usr/bin/env bash
# npm.sh DIR   installs the npm packages that tests ask into DIR, once, and prints the folder of the modules
set -euo pipefail
dir=$1
if ! command -v npm >/dev/null || ! command -v node >/dev/null; then
    echo "npm.sh: Node is not installed, so the libraries of others cannot be asked." >&2
    exit 3
fi
if [ ! -d "$dir/node_modules/cloudevents" ] || [ ! -d "$dir/node_modules/standardwebhooks" ]; then
    mkdir -p "$dir"
    npm install --prefix "$dir" --no-audit --no-fund --silent standardwebhooks@1 cloudevents@8 >&2 || exit 3
fi
realpath "$dir/node_modules"
