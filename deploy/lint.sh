#!/usr/bin/env bash
# Runs the pinned linter over the modules that are named.
set -euo pipefail
cd "$(dirname "$0")/.."
version=v2.15.0
tool=bin/golangci-lint-$version
if [ ! -x "$tool" ]; then
  GOWORK=off GOBIN="$PWD/bin" go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$version"
  mv bin/golangci-lint "$tool"
fi
status=0
for module in "$@"; do
  echo "lint $module"
  (cd "$module" && "../$tool" run --config ../.golangci.yml ./...) || status=1
done
exit $status
