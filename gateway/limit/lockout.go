package limit

import (
	"sync"
	"time"
)

// longestLock is LongestLock of all rates but those with a longer period.
const longestLock = time.Hour

// FailedAttempts is what is known of an address that sent wrong credentials. Times are
// Unix milliseconds, lengths milliseconds. Its zero value is a clean record.
type FailedAttempts struct {
	Since int64 // when the period began in which N are let pass
	Count int64 // how many came in it
	Until int64 // locked until then
	Lock  int64 // how long the last lock is; 0 when there was none
}

// Strike notes one more wrong credential. N of them are let pass in a period; the
// next one locks the address for a period. Once that is over, each further one is
// judged and locks it again, for twice as long as the time before, up to an hour.
// While it is locked nothing is counted: the end that it was told stays.
//
// wrangler/limits/lockout.mjs and the script of host/redis say the same; all three are
// held to testdata/lockout.json.
func (s FailedAttempts) Strike(r Rate, now time.Time) (FailedAttempts, Answer) {
	t, per := now.UnixMilli(), r.Per.Milliseconds()
	longest := LongestLock(r).Milliseconds()
	if s.Until-t > longest {
		s = FailedAttempts{} // the clock was set back
	}
	if t < s.Until {
		return s, locked(s.Until - t)
	}
	if s.Lock > 0 && t >= s.Until+longest {
		s = FailedAttempts{}
	}
	if s.Lock > 0 {
		s.Lock = min(2*s.Lock, longest)
		s.Until = t + s.Lock
		return s, Answer{Allowed: true, Reset: millis(s.Lock), RetryAfter: millis(s.Lock)}
	}
	if t >= s.Since+per || t < s.Since {
		s.Since, s.Count = t, 0
	}
	if s.Count++; s.Count > int64(r.N) {
		s.Lock, s.Until = per, t+per
		return s, locked(per)
	}
	return s, Answer{Allowed: true, Remaining: r.N - int(s.Count), Reset: millis(s.Since + per - t)}
}

// Forget is when nothing of it counts any more.
func (s FailedAttempts) Forget(r Rate) time.Time {
	if s.Lock > 0 {
		return time.UnixMilli(s.Until + LongestLock(r).Milliseconds())
	}
	return time.UnixMilli(s.Since + r.Per.Milliseconds())
}

// LongestLock is the longest lock under a rate, and how long an address must be
// quiet after a lock until all is forgiven.
func LongestLock(r Rate) time.Duration { return max(longestLock, r.Per) }

func locked(ms int64) Answer { return Answer{Reset: millis(ms), RetryAfter: millis(ms)} }

func millis(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// Lockouts keeps the strikes of addresses in memory.
type Lockouts struct {
	now  func() time.Time
	most int
	mu   sync.Mutex
	keys map[string]record
}

type record struct {
	strikes FailedAttempts
	forget  time.Time
}

// NewLockouts remembers at most so many keys. When there are more, those that
// would be forgotten soonest go first: a lock outlasts a few guesses.
func NewLockouts(most int, now func() time.Time) *Lockouts {
	return &Lockouts{now: now, most: max(sample, most), keys: make(map[string]record)}
}

// Strike notes one more wrong credential under key.
func (l *Lockouts) Strike(key string, r Rate) Answer {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	known, ok := l.keys[key]
	if !ok && len(l.keys) >= l.most {
		l.forgetOne()
	}
	s, a := known.strikes.Strike(r, now)
	l.keys[key] = record{s, s.Forget(r)}
	return a
}

// forgetOne drops the soonest forgotten of a few keys; Go's map order makes them
// random.
func (l *Lockouts) forgetOne() {
	victim, seen := "", 0
	var soonest time.Time
	for k, r := range l.keys {
		if seen == 0 || r.forget.Before(soonest) {
			victim, soonest = k, r.forget
		}
		if seen++; seen == sample {
			break
		}
	}
	delete(l.keys, victim)
}
