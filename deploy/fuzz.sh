#!/usr/bin/env bash
# Runs every fuzz target of the Go modules that it is given, one after the other.
# FUZZTIME is how long each one runs; those that judge what strangers send, and may
# therefore not be out of bounds, run FUZZTIME_LONG.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${FUZZTIME:-20s}
long=${FUZZTIME_LONG:-5m}
longer='^(FuzzStream|FuzzPage|FuzzUnaskedLine)$'

failed=()
for module in "$@"; do
  while IFS=: read -r file _ line; do
    name=$(sed -E 's/^func (Fuzz[A-Za-z0-9_]*).*/\1/' <<<"$line")
    for_how_long=$time
    [[ $name =~ $longer ]] && for_how_long=$long
    package=./$(dirname "${file#"$module"/}")
    echo "$module $package $name, $for_how_long"
    (cd "$module" && go test "$package" -run '^$' -fuzz "^$name\$" -fuzztime "$for_how_long" -parallel 2 >/dev/null) || failed+=("$module/$package $name")
  done < <(grep -rn --include='*_test.go' '^func Fuzz' "$module" | sort)
done
if [ ${#failed[@]} -gt 0 ]; then
  printf 'FAILED: %s\n' "${failed[@]}" >&2
  exit 1
fi
