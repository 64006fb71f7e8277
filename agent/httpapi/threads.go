package httpapi

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"sync"

	"github.com/loongclaw/loongclaw/agent/openai"
)

// maxThreads bounds how many conversations of OpenAI clients are recognised. One
// that is forgotten, or met by another process, goes on in a new session, which
// begins with a copy.
const maxThreads = 4096

// thread is where a conversation stands: its session and the last message there.
type thread struct{ session, message string }

// threads finds the session of a conversation by what was said in it, since such
// clients name none.
type threads struct {
	mu    sync.Mutex
	known map[[32]byte]thread
	order [][32]byte // oldest first
}

// threadKey names a conversation up to here.
func threadKey(user, instructions string, said []openai.Exchange) [32]byte {
	b, err := json.Marshal([]any{user, instructions, said})
	if err != nil {
		panic(err) // strings only
	}
	return sha256.Sum256(b)
}

func (t *threads) find(key [32]byte) (thread, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	found, ok := t.known[key]
	return found, ok
}

func (t *threads) keep(key [32]byte, where thread) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil {
		t.known = map[[32]byte]thread{}
	}
	if _, ok := t.known[key]; !ok {
		t.order = append(t.order, key)
	}
	t.known[key] = where
	if len(t.order) > maxThreads {
		delete(t.known, t.order[0])
		t.order = t.order[1:]
	}
}

// newThread names a new session. The same Idempotency-Key means the same one, so
// that a request that is sent again finds its run.
func newThread(user, key string) string {
	if key == "" {
		return "v1-" + strings.ToLower(rand.Text()[:20])
	}
	sum := sha256.Sum256([]byte(user + "\x00" + key))
	return "v1-" + hex.EncodeToString(sum[:12])
}
