#!/bin/sh
# Builds what the Worker is made of into build/: the core as WASM, Go's own
# loader for it, the seed of its boot, and the page's files.
set -eu
cd "$(dirname "$0")"
mkdir -p build
program=${1:-./cmd/gateway}
out=${2:-build}
mkdir -p "$out"
out=$(cd "$out" && pwd)

(cd ../gateway && GOOS=js GOARCH=wasm go build -trimpath -ldflags "-s -w" -o "$out/gateway.wasm" "$program")

# The first line keeps tsc from judging Go's file.
{ echo "// @ts-nocheck"; cat "$(go env GOROOT)/lib/wasm/wasm_exec.js"; } >"$out/wasm_exec.js"

# Go's boot outside a request draws from this seed: it is as secret as a key,
# new for each build, and never committed.
umask 077
{
	echo "// Made by build.sh for this build; secret."
	printf 'export const seed = Uint8Array.from(atob("%s"), (c) => c.charCodeAt(0));\n' \
		"$(head -c 256 /dev/urandom | base64 | tr -d '\n')"
} >"$out/seed.mjs"
