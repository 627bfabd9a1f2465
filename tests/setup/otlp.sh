#!/usr/bin/env bash
# otlp.sh DIR   prints a Python that has OpenTelemetry's own messages, from PyPI, in a virtual environment that is kept
set -euo pipefail
. "$(dirname "$0")/lib.sh"

dir=$(realpath -m "$1")
keep_venv "$dir" opentelemetry.proto.collector.logs.v1.logs_service_pb2 'opentelemetry-proto==1.*' || exit 3
echo "$dir/bin/python"
