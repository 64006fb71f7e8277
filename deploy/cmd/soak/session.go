package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
)

// session is one session of one user: who plays in it, who follows it, and what
// they noted.
type session struct {
	w    *world
	user int
	n    int
	id   string
	ways []*client.Client // one for each gateway
	dice *rand.Rand       // of who plays
	sent int

	mu     sync.Mutex
	acks   []ack // of this life, in the order of their acknowledgements
	ledger *client.Ledger
}

// ack is a message that was acknowledged.
type ack struct {
	RunID     string `json:"runId"`
	MessageID string `json:"messageId"`

	key    string
	script fakeprovider.Script
}

func newSession(w *world, user, n int) *session {
	return &session{
		w: w, user: user, n: n, id: fmt.Sprintf("s%d", n), ledger: client.NewLedger(),
		dice: w.dice(uint64(1000 + user*100 + n)), // #nosec G115 -- small
	}
}

func (s *session) String() string { return fmt.Sprintf("u%d/%s", s.user, s.id) }

// way is a gateway to go through.
func (s *session) way(dice *rand.Rand) *client.Client { return s.ways[dice.IntN(len(s.ways))] }

// play sends, repeats, cancels and clears until stop is closed; what it has
// begun it brings to an end.
func (s *session) play(ctx context.Context, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-ctx.Done():
			return
		default:
		}
		switch n := s.dice.IntN(100); {
		case n < 80:
			s.send(ctx)
		case n < 90:
			s.repeat(ctx)
		case n < 96:
			s.cancel(ctx)
		default:
			s.clear(ctx)
		}
		if wait(ctx, time.Duration(s.dice.IntN(400))*time.Millisecond) != nil {
			return
		}
	}
}

// script is a turn: one to three rounds, the earlier ones with a tool call.
func (s *session) script() fakeprovider.Script {
	s.sent++
	id := fmt.Sprintf("m%du%d%sn%d", s.w.Seed%10000, s.user, s.id, s.sent)
	var rounds []fakeprovider.Round
	for i := range s.dice.IntN(3) {
		c := fakeprovider.Call{ID: fmt.Sprintf("%sc%d", id, i)}
		switch s.dice.IntN(3) {
		case 0:
			c.Name, c.Args = "get_current_time", `{"timezone":"UTC"}`
		case 1:
			c.Name, c.Args = "write_file", fmt.Sprintf(`{"path":"notes/%s.txt","content":%q}`, c.ID, c.ID)
		default:
			c.Name, c.Args = "memory_save", fmt.Sprintf(`{"content":%q}`, c.ID)
		}
		rounds = append(rounds, fakeprovider.Round{Chunks: s.dice.IntN(3), Delay: 5, Vary: true, Calls: []fakeprovider.Call{c}})
	}
	return fakeprovider.Say(id, append(rounds, fakeprovider.Round{Chunks: 1 + s.dice.IntN(8), Delay: 2 + s.dice.IntN(20), Vary: true})...)
}

// insist sends a request until it is answered with want; refusals are noted. It
// gives up only with its context, or at what is no passing trouble.
func (s *session) insist(ctx context.Context, want int, method, path string, body any, headers ...client.Header) (client.Answer, bool) {
	what := fmt.Sprintf("%s: %s %s", s, method, path)
	began := time.Now()
	for try := 0; ctx.Err() == nil; try++ {
		once, cancel := context.WithTimeout(ctx, 30*time.Second)
		a, err := s.way(s.dice).Do(once, method, path, body, headers...)
		cancel()
		switch {
		case ctx.Err() != nil:
			return a, false
		case err != nil && once.Err() != nil:
			s.w.book.fault("%s: no answer within 30 s", what)
		case err != nil:
			s.w.book.fault("%s: the gateway gave no answer: %v", what, err)
		case a.Status == want:
			return a, true
		default:
			s.w.book.refused(what, a)
			if passing[a.Status] == nil {
				return a, false
			}
		}
		if time.Since(began) > 2*time.Minute {
			s.w.book.fault("%s: not done after %d tries in 2 minutes, last %v", what, try+1, a)
			return a, false
		}
		// Less patient than Retry-After says, which makes it harder.
		if wait(ctx, time.Duration(20+s.dice.IntN(200))*time.Millisecond) != nil {
			return a, false
		}
	}
	return client.Answer{}, false
}

func (s *session) post(ctx context.Context, key string, script fakeprovider.Script) (ack, bool) {
	a, ok := s.insist(ctx, http.StatusAccepted, http.MethodPost, client.SessionPath(s.id, "/runs"),
		map[string]any{"message": script.Message()}, client.Header{Name: "Idempotency-Key", Value: key})
	got := ack{key: key, script: script}
	if !ok {
		return got, false
	}
	if err := a.JSON(&got); err != nil || got.RunID == "" || got.MessageID == "" {
		s.w.book.fault("%s: acknowledged with %v", s, a)
		return got, false
	}
	return got, true
}

func (s *session) send(ctx context.Context) {
	script := s.script()
	if got, ok := s.post(ctx, "key-"+script.ID, script); ok {
		s.mu.Lock()
		s.acks = append(s.acks, got)
		s.mu.Unlock()
		s.w.book.ack()
	}
}

// repeat sends what was acknowledged once more: it must be the same run.
func (s *session) repeat(ctx context.Context) {
	if len(s.acks) == 0 {
		return
	}
	old := s.acks[s.dice.IntN(len(s.acks))]
	got, ok := s.post(ctx, old.key, old.script)
	if ok && (got.RunID != old.RunID || got.MessageID != old.MessageID) {
		s.w.book.fault("%s: the same Idempotency-Key gave run %s, message %s and then run %s, message %s", s, old.RunID, old.MessageID, got.RunID, got.MessageID)
	}
	s.w.book.count("repeated")
}

func (s *session) cancel(ctx context.Context) {
	if len(s.acks) == 0 {
		return
	}
	if _, ok := s.insist(ctx, http.StatusOK, http.MethodPost, client.SessionPath(s.id, "/cancel"), map[string]any{}); ok {
		s.w.book.count("cancel answered")
	}
}

func (s *session) clear(ctx context.Context) {
	if len(s.acks) == 0 {
		return
	}
	if _, ok := s.insist(ctx, http.StatusOK, http.MethodDelete, "/api/history/"+s.id, nil); ok {
		s.mu.Lock()
		s.acks = nil
		s.mu.Unlock()
		s.w.book.count("cleared")
	}
}
