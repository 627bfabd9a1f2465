#!/usr/bin/env bash
# npm.sh DIR   installs the npm packages that tests ask into DIR, once, and prints the folder of the modules
set -euo pipefail
. "$(dirname "$0")/lib.sh"
dir=$1
if ! ask_apt node nodejs || ! ask_apt npm npm; then
    say "Node is not installed, so the libraries of others cannot be asked."
    exit 3
fi
missing=
for module in standardwebhooks cloudevents openid-client oidc-provider axe-core; do
    [ -d "$dir/node_modules/$module" ] || missing=yes
done
if [ -n "$missing" ]; then
    mkdir -p "$dir"
    npm install --prefix "$dir" --no-audit --no-fund --silent standardwebhooks@1 cloudevents@8 openid-client@6 oidc-provider@9 axe-core@4 >&2 || exit 3
fi
realpath "$dir/node_modules"
