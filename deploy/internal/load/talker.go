package load

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
)

// Talker is a client that never stops: it sends a message, reads its answer as it
// comes, checks it, and sends the next. A stream that ends is taken up again with
// its cursor, as every client does; anything else that goes wrong is a fault.
type Talker struct {
	*client.Client
	Session string
	Over    string        // client.OverSSE or client.OverWS
	Chunks  int           // of an answer
	Delay   time.Duration // between them
	Pause   time.Duration // between an answer and the next message

	mu     sync.Mutex
	tally  Tally
	sent   []string // messages that were acknowledged, in order
	ledger *client.Ledger
}

// Tally is what talkers did and saw.
type Tally struct {
	Requests, Messages, Cuts int
	Slowest                  time.Duration // from a message to its acknowledgement, but for the first, which wakes an agent
	Faults                   []string
}

// Add adds another's.
func (t *Tally) Add(o Tally) {
	t.Requests += o.Requests
	t.Messages += o.Messages
	t.Cuts += o.Cuts
	t.Slowest = max(t.Slowest, o.Slowest)
	t.Faults = append(t.Faults, o.Faults...)
}

func (t Tally) String() string {
	return fmt.Sprintf("%d requests, %d failed; %d messages, acknowledged within %v at most; %d streams taken up again",
		t.Requests, len(t.Faults), t.Messages, t.Slowest.Round(time.Millisecond), t.Cuts)
}

// Tally returns the count so far.
func (t *Talker) Tally() Tally {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tally
}

// Talk talks until ctx ends, and then to the end of what it has begun.
func (t *Talker) Talk(ctx context.Context) {
	t.ledger = client.NewLedger()
	for i := 0; ctx.Err() == nil; i++ {
		t.turn(context.WithoutCancel(ctx), i)
		wait(ctx, t.Pause)
	}
}

// patienceOfTurn is how long a whole turn may take: a container may start in it.
const patienceOfTurn = 2 * time.Minute

func (t *Talker) turn(ctx context.Context, i int) {
	ctx, cancel := context.WithTimeout(ctx, patienceOfTurn)
	defer cancel()
	script := fakeprovider.Say(fmt.Sprintf("%s-%d", t.Session, i), fakeprovider.Round{Chunks: t.Chunks, Delay: int(t.Delay.Milliseconds())})
	run, ok := t.send(ctx, script.Message())
	for ok && ctx.Err() == nil {
		end, done := t.follow(ctx, run)
		if !done {
			t.count(func(c *Tally) { c.Cuts++ })
			wait(ctx, 100*time.Millisecond)
			continue
		}
		if err := whole(t.ledger, end, script); err != nil {
			t.fault("%v", err)
		}
		return
	}
	if ctx.Err() != nil {
		t.fault("message %d: not finished after %v", i, patienceOfTurn)
	}
}

func (t *Talker) send(ctx context.Context, message string) (run string, ok bool) {
	begin := time.Now()
	a, err := t.Do(ctx, http.MethodPost, client.SessionPath(t.Session, "/runs"), map[string]string{"message": message},
		client.Header{Name: "Idempotency-Key", Value: rand.Text()})
	took := time.Since(begin)
	t.count(func(c *Tally) {
		c.Requests++
		if len(t.sent) > 0 {
			c.Slowest = max(c.Slowest, took)
		}
	})
	var r struct{ RunID string }
	if err != nil || a.Status != http.StatusAccepted || a.JSON(&r) != nil {
		t.fault("a message, after %v: %v %v", took, a, err)
		wait(ctx, time.Second)
		return "", false
	}
	t.count(func(c *Tally) { c.Messages++ })
	t.sent = append(t.sent, message)
	return r.RunID, true
}

// follow reads on after what was read before, until the run ends or the stream
// does.
func (t *Talker) follow(ctx context.Context, run string) (end client.Event, done bool) {
	t.count(func(c *Tally) { c.Requests++ })
	s, err := t.Follow(ctx, t.Over, t.Session, t.ledger.Cursor)
	if err != nil {
		t.fault("following: %v", err)
		wait(ctx, time.Second)
		return end, false
	}
	defer s.Cut()
	for {
		e, err := s.Next()
		if err != nil {
			return end, false
		}
		if e.Type == "error" {
			t.fault("a frame: %s", e.Raw)
			return end, false
		}
		if err := t.ledger.Take(e); err != nil {
			t.fault("%v", err)
		}
		if e.Type == "run_finished" && e.RunID == run {
			return e, true
		}
	}
}

// Check holds the session's history against what was acknowledged: every message
// once, in its order, each with its answer.
func (t *Talker) Check(ctx context.Context) {
	a, err := t.Do(ctx, http.MethodGet, "/api/history/"+t.Session+"?tree=1", nil)
	var h client.History
	if err != nil || a.Status != http.StatusOK || a.JSON(&h) != nil {
		t.fault("history: %v %v", a, err)
		return
	}
	var there []string
	answers := 0
	for _, m := range h.Messages {
		if m.Role == "user" {
			there = append(there, m.Content)
		} else {
			answers++
		}
	}
	if len(there) != len(t.sent) || answers != len(t.sent) {
		t.fault("%d messages were acknowledged; there are %d, and %d answers", len(t.sent), len(there), answers)
		return
	}
	for i := range there {
		if there[i] != t.sent[i] {
			t.fault("message %d was %.100q and is %.100q", i, t.sent[i], there[i])
			return
		}
	}
}

func (t *Talker) count(change func(*Tally)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.tally)
}

func (t *Talker) fault(format string, args ...any) {
	t.count(func(c *Tally) {
		c.Faults = append(c.Faults, time.Now().Format("15:04:05.000 ")+t.Session+": "+fmt.Sprintf(format, args...))
	})
}
