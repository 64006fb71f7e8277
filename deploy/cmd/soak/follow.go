package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
)

// follow reads the session's events over one connection after the other, SSE and
// WebSocket by turns, from the ledger's cursor each time.
func (s *session) follow(ctx context.Context) {
	dice := s.w.dice(uint64(500_000 + s.user*100 + s.n)) // #nosec G115 -- small
	for ctx.Err() == nil {
		over := client.OverSSE
		if dice.IntN(2) == 0 {
			over = client.OverWS
		}
		cut := 1 + dice.IntN(60)
		if dice.IntN(4) == 0 {
			cut = 1 << 30 // only the agent's death ends this one
		}
		s.mu.Lock()
		after := s.ledger.Cursor
		s.mu.Unlock()
		st, err := s.way(dice).Follow(ctx, over, s.id, after)
		if err != nil {
			s.notFollowed(ctx, err)
		} else {
			s.take(st, cut)
			st.Cut()
		}
		if wait(ctx, time.Duration(dice.IntN(60))*time.Millisecond) != nil {
			return
		}
	}
}

// notFollowed judges why a connection was refused.
func (s *session) notFollowed(ctx context.Context, err error) {
	var r *client.Refused
	switch {
	case ctx.Err() != nil:
	case !errors.As(err, &r):
		s.w.book.fault("%s: follow: the gateway gave no answer: %v", s, err)
	case r.Answer.Status == http.StatusNotFound:
		// Before its first message there is no such session.
	default:
		s.w.book.refused(s.String()+": follow", r.Answer)
	}
}

// take takes up to cut events of a connection.
func (s *session) take(st client.Stream, cut int) {
	for range cut {
		e, err := st.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				s.w.book.count("stream ended in order")
			} else {
				s.w.book.count("stream broke")
			}
			return
		}
		if e.Type == "error" {
			s.frame(e)
			return
		}
		s.mu.Lock()
		err = s.ledger.Take(e)
		s.mu.Unlock()
		if err != nil {
			s.w.book.fault("%s: %v", s, err)
			return
		}
		if e.Restarted {
			s.w.book.count("run started again (seen)")
		}
	}
	s.w.book.count("stream cut by the client")
}

// frame judges an error frame by the same rule as a refusal; a session that was
// never written to is not found.
func (s *session) frame(e client.Event) {
	f := e.Fault()
	s.w.book.count("error frame " + f.Code)
	if f.Code == "not_found" {
		return
	}
	for _, codes := range passing {
		if slices.Contains(codes, f.Code) && f.Error != "" && f.Hint != "" {
			return
		}
	}
	s.w.book.fault("%s: error frame %v, which no trouble explains", s, e)
}
