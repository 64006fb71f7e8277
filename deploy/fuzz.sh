#!/usr/bin/env bash
# Runs every fuzz target of the Go modules that it is given, one after the other.
# FUZZTIME is how long each one runs. Those that judge what strangers send, and may
# therefore not be out of bounds, run until they have used FUZZ_CPU seconds of CPU time,
# so that a busy machine tries no less than an idle one.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${FUZZTIME:-20s}
seconds=${FUZZ_CPU:-600}
longer='^(FuzzStream|FuzzPage|FuzzUnaskedLine)$'

# fuzz FOLDER PACKAGE NAME TIME runs one target and says how many seconds of CPU time it
# used. What the target said is shown only when it has failed.
TIMEFORMAT='%U %S'
said=$(mktemp)
trap 'rm -f "$said"' EXIT
target() { (cd "$1" && go test "$2" -run '^$' -fuzz "^$3\$" -fuzztime "$4" -parallel 2) >"$said" 2>&1; }
fuzz() {
  local used
  used=$({ time target "$@"; } 2>&1) || { cat "$said" >&2; return 1; }
  awk '{print int($1 + $2)}' <<<"$used"
}

failed=()
for module in "$@"; do
  while IFS=: read -r file _ line; do
    name=$(sed -E 's/^func (Fuzz[A-Za-z0-9_]*).*/\1/' <<<"$line")
    package=./$(dirname "${file#"$module"/}")
    place="$module/${package#./} $name"
    if [[ $name =~ $longer ]]; then
      spent=0
      while [ "$spent" -lt "$seconds" ]; do
        used=$(fuzz "$module" "$package" "$name" 60s) || { failed+=("$place"); break; }
        spent=$((spent + used))
      done
    else
      spent=$(fuzz "$module" "$package" "$name" "$time") || failed+=("$place")
    fi
    echo "$place: ${spent:-0} s of CPU"
  done < <(grep -rn --include='*_test.go' '^func Fuzz' "$module" | sort)
done
if [ ${#failed[@]} -gt 0 ]; then
  printf 'FAILED: %s\n' "${failed[@]}" >&2
  exit 1
fi
