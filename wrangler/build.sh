#!/bin/sh
# Builds what the Worker is made of into build/: the core as WASM, Go's own
# loader for it, the seed of its boot, and the page's files.
#
# With two arguments (a Go package, a folder) only the first three, for tests.
set -eu
cd "$(dirname "$0")"
program=${1:-./cmd/gateway}
out=${2:-build}
version=${VERSION:-$(git describe --tags --always --dirty 2>/dev/null || echo dev)}
mkdir -p "$out"
out=$(cd "$out" && pwd)

(cd ../gateway && GOOS=js GOARCH=wasm go build -trimpath -buildvcs=false \
	-ldflags "-s -w -X main.version=$version" -o "$out/gateway.wasm" "$program")

# The first line keeps tsc from judging Go's file.
{ echo "// @ts-nocheck"; cat "$(go env GOROOT)/lib/wasm/wasm_exec.js"; } >"$out/wasm_exec.js"

# Go's boot outside a request draws from this seed: it is as secret as a key,
# new for each build, and never committed.
seed=$(head -c 256 /dev/urandom | base64 | tr -d '\n')
(
	umask 077
	cat >"$out/seed.mjs" <<EOF
// Made by build.sh for this build; secret.
export const seed = Uint8Array.from(atob("$seed"), (c) => c.charCodeAt(0));
EOF
)

[ $# -eq 0 ] || exit 0
rm -rf "$out/page"
cp -R ../gateway/webchat/dist "$out/page"
cp page_headers "$out/page/_headers"

# A file that grows past these limits has something in it that does not belong
# there; the budgets are in docs/architecture.md.
raw=$(wc -c <"$out/gateway.wasm")
zip=$(gzip -9 -c "$out/gateway.wasm" | wc -c)
echo "gateway.wasm: $raw bytes, $zip with gzip (at most 12000000 and 3200000)"
[ "$raw" -le 12000000 ] && [ "$zip" -le 3200000 ] || {
	echo "gateway.wasm is too large" >&2
	echo "Next: find what came in with: go version -m, go tool nm -size -sort size" >&2
	exit 1
}
