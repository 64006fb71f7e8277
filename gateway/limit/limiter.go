package limit

import (
	"hash/maphash"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Answer reports whether one more was allowed.
type Answer struct {
	Allowed    bool
	Remaining  int
	Reset      time.Duration // until all are free again
	RetryAfter time.Duration // until the next one is free
}

// Limiter counts keys exactly, as token buckets in memory: N at once, refilled
// evenly over the period.
type Limiter struct {
	now    func() time.Time
	seed   maphash.Seed
	shards [shardCount]shard
	bound  int // keys for each shard
}

const (
	shardCount = 16
	// sample is how many keys are looked at to find one that can be forgotten.
	sample = 8
)

type shard struct {
	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

// New makes a limiter that remembers at most about maxKeys keys. When there are
// more, those closest to full are forgotten first: that gives the least away.
func New(maxKeys int, now func() time.Time) *Limiter {
	l := &Limiter{now: now, seed: maphash.MakeSeed(), bound: max(sample, maxKeys/shardCount)}
	for i := range l.shards {
		l.shards[i].buckets = make(map[string]*rate.Limiter)
	}
	return l
}

// Take asks for one more under key, and counts it when it is allowed.
func (l *Limiter) Take(key string, r Rate) Answer {
	now := l.now()
	every := rate.Limit(float64(r.N) / r.Per.Seconds())
	s := &l.shards[maphash.String(l.seed, key)%shardCount]
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[key]
	if b == nil {
		if len(s.buckets) >= l.bound {
			s.forgetOne(now)
		}
		b = rate.NewLimiter(every, r.N)
		s.buckets[key] = b
	}
	allowed := b.AllowN(now, 1)
	left := b.TokensAt(now)
	a := Answer{Allowed: allowed, Remaining: max(0, int(left)), Reset: wait(float64(r.N)-left, every)}
	if left < 1 {
		a.RetryAfter = wait(1-left, every)
	}
	return a
}

// forgetOne drops the fullest of a few keys; Go's map order makes them random.
func (s *shard) forgetOne(now time.Time) {
	var victim string
	most, seen := math.Inf(-1), 0
	for k, b := range s.buckets {
		if left := b.TokensAt(now) - float64(b.Burst()); left > most {
			most, victim = left, k
		}
		if seen++; seen == sample {
			break
		}
	}
	delete(s.buckets, victim)
}

func wait(tokens float64, every rate.Limit) time.Duration {
	return time.Duration(math.Ceil(max(0, tokens) / float64(every) * float64(time.Second)))
}
