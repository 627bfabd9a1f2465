#!/usr/bin/env bash
# oras.sh DIR   installs oras, a client of OCI registries, from PyPI into DIR, once, and prints the Python that has it
set -euo pipefail
. "$(dirname "$0")/lib.sh"
ask_apt openssl openssl || { say "openssl is not installed"; exit 3; }
keep_venv "$1/venv" oras.client 'oras==0.2.*' || exit 3
echo "$(realpath "$1")/venv/bin/python"
