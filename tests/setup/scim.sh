#!/usr/bin/env bash
# scim.sh DIR   installs scim2-tester and scim2-client from PyPI into DIR, once, and prints the Python that has them
set -euo pipefail
. "$(dirname "$0")/lib.sh"
keep_venv "$1/venv" scim2_tester,httpx2 'scim2-tester==0.5.*' 'scim2-client[httpx2]==0.13.*' || exit 3
echo "$(realpath "$1")/venv/bin/python"
