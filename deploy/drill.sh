#!/usr/bin/env bash
# The restore drill, with the built programs: a backup that was never restored is
# a hope.
#
#   deploy/drill.sh          with a deployment of its own: talks, exports, destroys the
#                            store, restores it, verifies, and asks again
#   deploy/drill.sh USER...  with your store (STORE and, for r2:, R2_...): exports
#                            these users, restores each into a store that is thrown
#                            away, and verifies that. It only reads yours.
#
# It ends with status 0 when the digests of what was and of what came back are the
# same, byte for byte.
set -euo pipefail
bin=$(cd "$(dirname "$0")/../bin" && pwd)
work=$(mktemp -d)
deployment=
end() {
  [ -z "$deployment" ] || { kill -TERM "$deployment" && wait "$deployment" || true; } 2>/dev/null
  rm -rf "$work"
}
trap end EXIT

digest() { # STORE USER FILE: exports, and prints the SHA-256 of it
  STORE=$1 "$bin/agent" export -user "$2" -o "$3" 2>/dev/null
  sha256sum <"$3" | cut -d' ' -f1
}

same() { # USER BEFORE AFTER
  [ "$2" = "$3" ] || { echo "$1: $2 was exported, and $3 is what came back" >&2; echo "Next: keep both stores, and compare the lists of their tars" >&2; exit 1; }
  echo "$1: digest $2, the same before and after"
}

restore() { # STORE USER FILE
  STORE=$1 "$bin/agent" import -user "$2" "$3"
  STORE=$1 "$bin/agent" verify
}

if [ $# -gt 0 ]; then
  : "${STORE:?STORE is not set. Next: STORE=sqlite:./data/loongclaw.db deploy/drill.sh $*}"
  for user in "$@"; do
    before=$(digest "$STORE" "$user" "$work/$user.tar")
    restore "disk:$work/restored" "$user" "$work/$user.tar"
    same "$user" "$before" "$(digest "disk:$work/restored" "$user" "$work/again.tar")"
  done
  exit
fi

# A deployment of its own, beside others: no variable of the caller's but the addresses
# counts.
port=$((20000 + RANDOM % 10000))
listen=${LISTEN_ADDR:-127.0.0.1:$port}
agent=${AGENT_LISTEN_ADDR:-127.0.0.1:$((port + 1))}
cd "$work"
ln -s "$bin" bin

awake() {
  : >log # the last one says the same
  env -i PATH="$PATH" HOME="$work" LISTEN_ADDR="$listen" AGENT_LISTEN_ADDR="$agent" bin/local >log 2>&1 &
  deployment=$!
  for _ in $(seq 600); do
    if grep -q '#login=' log; then return; fi
    kill -0 "$deployment" 2>/dev/null || break
    sleep 0.1
  done
  cat log >&2
  echo "the deployment does not start" >&2
  exit 1
}

asleep() {
  kill -TERM "$deployment"
  wait "$deployment"
  deployment=
}

ask() { # METHOD PATH [BODY]
  local token
  token=$(sed -n 's/^LOONGCLAW_TOKENS=me://p' .run/*.env)
  command curl -sS --max-time 30 --fail-with-body -X "$1" "http://$listen$2" -H "Authorization: Bearer $token" ${3:+-d "$3"}
}

remembered() {
  ask GET /api/sessions
  ask GET '/api/history/first?tree=1'
  ask GET /api/history/second
  ask GET '/api/memory/export?format=json'
  ask GET /api/files/notes/gifts.md
}

awake
ask POST /api/chat '{"message":"Remember that my sister'"'"'s birthday is 3 May","sessionId":"first"}' >/dev/null
ask POST /api/chat '{"message":"What time is it?","sessionId":"first"}' >/dev/null
ask POST /api/chat '{"message":"What is 12*7?","sessionId":"second"}' >/dev/null
ask PUT /api/files/notes/gifts.md 'A book about bears' >/dev/null
remembered >before.txt
asleep

store=sqlite:data/loongclaw.db # what the deployment makes by itself
before=$(digest "$store" me me.tar)
rm -rf data
echo "the store is destroyed"
restore "$store" me me.tar
same me "$before" "$(digest "$store" me again.tar)"

awake
remembered >after.txt
asleep
cmp before.txt after.txt
echo "the agent answers $(wc -c <after.txt) bytes of sessions, memory and files as before"
