package main

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
)

// book is what was seen in a run: the numbers, and what was wrong.
type book struct {
	mu     sync.Mutex
	counts map[string]int
	wrong  []error
	more   int
	acked  chan struct{} // closed at the next acknowledgement
}

func newBook() *book {
	return &book{counts: map[string]int{}, acked: make(chan struct{})}
}

func (b *book) count(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts[what]++
}

// fault notes that something is wrong.
func (b *book) fault(format string, args ...any) {
	const enough = 40
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.wrong) >= enough {
		b.more++
		return
	}
	b.wrong = append(b.wrong, fmt.Errorf(time.Now().Format("15:04:05.000 ")+format, args...))
}

func (b *book) err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.more > 0 {
		return errors.Join(append(slices.Clone(b.wrong), fmt.Errorf("and %d more", b.more))...)
	}
	return errors.Join(b.wrong...)
}

// ack notes an acknowledgement and wakes who wants to kill right after one.
func (b *book) ack() {
	b.count("acknowledged")
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.acked)
	b.acked = make(chan struct{})
}

func (b *book) nextAck() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.acked
}

// passing are the errors that trouble may rightly bring, by status.
var passing = map[int][]string{
	http.StatusConflict:           {"session_busy", "conflict"},
	http.StatusTooManyRequests:    {"too_many_runs", "rate_limited"},
	http.StatusBadGateway:         {"agent_failed"},
	http.StatusServiceUnavailable: {"unavailable", "draining", "store_unavailable"},
	http.StatusGatewayTimeout:     {"agent_timeout"},
}

// refused notes a refusal and holds it to the protocol: one of the errors that
// may pass, with text, hint and request id, and Retry-After where it must be.
func (b *book) refused(what string, a client.Answer) {
	f := a.Fault()
	b.count(fmt.Sprintf("refused %d %s: %s", a.Status, f.Code, f.Error))
	switch {
	case !slices.Contains(passing[a.Status], f.Code):
		b.fault("%s: got %v, which no trouble explains", what, a)
	case f.Error == "" || f.Hint == "" || f.RequestID == "":
		b.fault("%s: the error lacks its text, hint or requestId: %v", what, a)
	case (a.Status == http.StatusServiceUnavailable || a.Status == http.StatusTooManyRequests) && a.Header.Get("Retry-After") == "":
		b.fault("%s: %v without Retry-After", what, a)
	}
}

// Report is what a run showed.
type Report struct {
	Plan   Plan
	Took   time.Duration
	Counts map[string]int
}

func (b *book) report(p Plan, took time.Duration) Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Report{Plan: p, Took: took, Counts: maps.Clone(b.counts)}
}

// String is one line for each number.
func (r Report) String() string {
	var t strings.Builder
	fmt.Fprintf(&t, "seed %d, %s, %v:", r.Plan.Seed, r.Plan.Store, r.Took.Round(time.Millisecond))
	for _, k := range slices.Sorted(maps.Keys(r.Counts)) {
		fmt.Fprintf(&t, "\n  %-60s %d", k, r.Counts[k])
	}
	return t.String()
}
