package runs

import (
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// maxAsides is how many questions of one user are asked beside conversations at
// once. Clients send a few after each answer.
const maxAsides = 8

// asides counts the questions beside conversations that are being answered, by
// user.
type asides struct {
	mu sync.Mutex
	of map[string]int
}

func (a *asides) enter(user string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.of[user] >= maxAsides {
		return fault.New(fault.CodeTooManyRuns, "too many of your client's own questions are being answered", "wait for one to end").After(5 * time.Second)
	}
	if a.of == nil {
		a.of = map[string]int{}
	}
	a.of[user]++
	return nil
}

func (a *asides) leave(user string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.of[user]--; a.of[user] == 0 {
		delete(a.of, user)
	}
}

// slot returns a user's places for active runs.
func (e *env) slot(user string) *semaphore.Weighted {
	e.mu.Lock()
	defer e.mu.Unlock()
	w := e.slots[user]
	if w == nil {
		w = semaphore.NewWeighted(int64(max(e.MaxRuns, 1)))
		e.slots[user] = w
	}
	return w
}
