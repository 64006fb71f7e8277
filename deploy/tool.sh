#!/usr/bin/env bash
# Prints the path of a Go program in a pinned version, and installs it below bin
# when it is not there: deploy/tool.sh github.com/rhysd/actionlint/cmd/actionlint v1.7.12
set -euo pipefail
cd "$(dirname "$0")/.."
name=$(basename "${1%/v[0-9]}")
dir=$PWD/bin/tools/$2
[ -x "$dir/$name" ] || GOWORK=off GOBIN=$dir go install "$1@$2" >&2
echo "$dir/$name"
