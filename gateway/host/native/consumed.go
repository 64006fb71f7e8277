package native

import (
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/gateway/edge"
)

// sweepEvery is how often what has expired is forgotten, at most.
const sweepEvery = time.Minute

// consumed remembers what can be used once, until it could not be used any more.
// It is one process's memory: what was given out before it began may have been
// consumed in another's, so that does not count.
type consumed struct {
	most  int
	now   func() time.Time
	since int64 // Unix milliseconds

	mu    sync.Mutex
	keys  map[string]int64 // until when, in Unix milliseconds; 0 is for ever
	sweep int64            // when to look for what has expired
}

func newConsumed(most int, now func() time.Time) *consumed {
	return &consumed{most: most, now: now, since: now().UnixMilli(), keys: make(map[string]int64)}
}

// consume reports whether this call spent the key. When the memory is full of what
// still counts, the answer is no: forgetting one would let it be used again.
func (s *consumed) consume(q edge.SpendQuestion) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now().UnixMilli()
	if _, known := s.keys[q.Key]; known {
		return false
	}
	if q.Until != 0 && (q.From < s.since || q.Until <= now) {
		return false
	}
	if now >= s.sweep || len(s.keys) >= s.most {
		s.forget(now)
	}
	if len(s.keys) >= s.most {
		return false
	}
	s.keys[q.Key] = q.Until
	return true
}

func (s *consumed) forget(now int64) {
	if now < s.sweep-sweepEvery.Milliseconds()+1000 {
		return // a full memory is not searched more than once a second
	}
	for key, until := range s.keys {
		if until != 0 && until <= now {
			delete(s.keys, key)
		}
	}
	s.sweep = now + sweepEvery.Milliseconds()
}
