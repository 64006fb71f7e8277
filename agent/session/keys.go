package session

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// keyLife is how long an Idempotency-Key counts.
const keyLife = 24 * time.Hour

// keys are what the Idempotency-Keys of a session stand for.
type keys map[string]keyed

// keyed is what an Idempotency-Key stands for.
type keyed struct {
	hash string
	run  chat.Run // what the sender was told
	at   time.Time
}

func (k keys) add(key, hash string, at chat.Time, run chat.Run) {
	if key != "" {
		k[key] = keyed{hash: hash, at: at.Time, run: run}
	}
}

// get returns what a key stands for, if it counts still.
func (k keys) get(key string, now time.Time) (keyed, bool) {
	known, ok := k[key]
	return known, key != "" && ok && now.Sub(known.at) < keyLife
}

// find returns what the sender of a request was told that came under this key
// before; nil where there is none.
func (k keys) find(key, hash string, now time.Time) (*chat.Run, error) {
	known, ok := k.get(key, now)
	switch {
	case !ok:
		return nil, nil
	case known.hash != hash:
		return nil, fault.New(fault.CodeIdempotency, "this Idempotency-Key was used with another body", "use a new key for a new message")
	}
	return &known.run, nil
}

// hashOf sums up what a request says.
func hashOf(parts ...string) string {
	h := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(h[:16])
}
