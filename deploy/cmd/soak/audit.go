package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
)

// settleTime is how long after the last trouble everything may take to end.
const settleTime = 90 * time.Second

// audit holds what is there against what was acknowledged.
func (w *world) audit(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settleTime+time.Minute)
	defer cancel()
	deadline := time.Now().Add(settleTime)
	settled := slices.DeleteFunc(slices.Clone(w.sessions), func(s *session) bool { return !s.settled(ctx, deadline) })
	w.say("%d of %d sessions are at rest", len(settled), len(w.sessions))
	for _, s := range settled {
		if err := s.audit(ctx); err != nil {
			w.book.fault("%s: audit: %v", s, err)
		}
	}
	// Beside the live agent first, then with nothing running.
	for _, what := range []string{"verify beside a live agent", "verify at rest"} {
		text, err := w.stacks[0].Verify(ctx)
		if err != nil {
			w.book.fault("%s: %v", what, err)
		}
		w.say("%s: %s", what, strings.TrimSpace(text))
		for _, s := range w.stacks {
			if !s.Agent.Stop(20 * time.Second) {
				w.book.fault("the agent does not end within 20 s of SIGTERM")
			}
		}
	}
	return nil
}

// settled waits until the follower has seen every acknowledged run finish.
func (s *session) settled(ctx context.Context, deadline time.Time) bool {
	for {
		var open []string
		s.mu.Lock()
		for _, a := range s.acks {
			if s.ledger.Finished[a.RunID].Type == "" {
				open = append(open, a.RunID+" of "+a.script.ID)
			}
		}
		s.mu.Unlock()
		if len(open) == 0 {
			return true
		}
		if time.Now().After(deadline) || wait(ctx, 20*time.Millisecond) != nil {
			s.w.book.fault("%s: acknowledged, but no run_finished came: %q\nthe session's last events: %s", s, open, s.last(ctx, 12))
			return false
		}
	}
}

// last is the end of what the session's page of events says, for a fault.
func (s *session) last(ctx context.Context, n int) string {
	events, err := s.everything(ctx)
	if err != nil {
		return err.Error()
	}
	lines := make([]string, 0, n)
	for _, e := range events[max(0, len(events)-n):] {
		lines = append(lines, fmt.Sprintf("%.300s", e.Raw))
	}
	return strings.Join(lines, "\n")
}

// everything reads the session from its start, as JSON pages.
func (s *session) everything(ctx context.Context) ([]client.Event, error) {
	var all []client.Event
	after := ""
	for {
		p, err := s.ways[0].Page(ctx, s.id, after)
		var r *client.Refused
		switch {
		case errors.As(err, &r) && r.Answer.Status == http.StatusNotFound:
			return nil, nil
		case err != nil:
			return nil, err
		case len(p.Events) == 0 || p.Next == after:
			return all, nil
		}
		all = append(all, p.Events...)
		after = p.Next
	}
}

func (s *session) audit(ctx context.Context) error {
	events, err := s.everything(ctx)
	if err != nil {
		return err
	}
	l := client.NewLedger()
	for _, e := range events {
		if err := l.Take(e); err != nil {
			return fmt.Errorf("in a full replay: %w", err)
		}
	}
	if len(l.Finished) != len(s.acks) {
		s.w.book.fault("%s: %d runs finished, %d were acknowledged", s, len(l.Finished), len(s.acks))
	}
	for _, a := range s.acks {
		end := l.Finished[a.RunID]
		s.w.book.count("finished " + end.Status)
		if end.Status == "failed" {
			s.w.book.fault("%s: run %s failed: %v", s, a.RunID, end)
		}
		if end.Status == "done" {
			s.answered(a, l.Answers[a.RunID])
		}
	}
	s.sameAsSeen(ctx, l)
	return errors.Join(s.history(ctx), s.effects(ctx, events))
}

var attempt = regexp.MustCompile(`\(attempt \d+\) `)

// answered holds a run's answer to what the provider said.
func (s *session) answered(a ack, answers []client.Event) {
	var got, want strings.Builder
	for i := range a.script.Rounds {
		want.WriteString(a.script.Answer(i))
	}
	for _, e := range answers {
		got.WriteString(e.Text())
	}
	if g, w := attempt.ReplaceAllString(got.String(), ""), attempt.ReplaceAllString(want.String(), ""); g != w {
		s.w.book.fault("%s: run %s is done with %q, the provider said %q", s, a.RunID, got.String(), want.String())
	}
}

// sameAsSeen holds what the follower saw over all its connections against a full
// replay. The follower may still be on its way.
func (s *session) sameAsSeen(ctx context.Context, l *client.Ledger) {
	want := steps(l)
	for end := time.Now().Add(10 * time.Second); ; {
		s.mu.Lock()
		diff := cmp.Diff(want, steps(s.ledger))
		s.mu.Unlock()
		if diff == "" || len(s.acks) == 0 {
			return
		}
		if time.Now().After(end) || wait(ctx, 20*time.Millisecond) != nil {
			s.w.book.fault("%s: events lost, doubled or out of order (-replay +seen):\n%s", s, diff)
			return
		}
	}
}

// steps leaves titles out, since one may be told again, and cursors, since one
// holds what its client has of an open answer.
func steps(l *client.Ledger) []string {
	var out []string
	for _, k := range l.Steps {
		if fields := strings.Split(k, " "); fields[0] != "session_updated" {
			out = append(out, strings.Join(fields[:min(6, len(fields))], " "))
		}
	}
	return out
}

// history must have exactly the acknowledged messages, in their order, in the
// branch that is shown and in the tree: nobody here edits, so nothing branches.
func (s *session) history(ctx context.Context) error {
	var want []string
	for _, a := range s.acks {
		want = append(want, a.MessageID+" "+a.script.Message())
	}
	for _, query := range []string{"", "?tree=1"} {
		a, err := s.ways[0].Do(ctx, http.MethodGet, "/api/history/"+s.id+query, nil)
		if err != nil {
			return fmt.Errorf("GET history: %w", err)
		}
		var h client.History
		if err := a.JSON(&h); err != nil || a.Status != http.StatusOK {
			return fmt.Errorf("GET history: %v (%w)", a, err)
		}
		var got []string
		for _, m := range h.Messages {
			if m.Role == "user" {
				got = append(got, m.ID+" "+m.Content)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			s.w.book.fault("%s: messages lost or doubled in history%s (-acknowledged +there):\n%s", s, query, diff)
		}
	}
	return nil
}

// effects must be there once where the journal says ok, and at most once where
// it does not.
func (s *session) effects(ctx context.Context, events []client.Event) error {
	const enough = 60 // looked at in each session, the newest
	results := slices.DeleteFunc(slices.Clone(events), func(e client.Event) bool { return e.Type != "tool_result" })
	for _, e := range results[max(0, len(results)-enough):] {
		s.w.book.count("tool " + e.Status)
		id := e.CallID
		if i := strings.LastIndex(id, "m"); i > 0 {
			id = id[i:]
		}
		n, err := 0, error(nil)
		switch e.Name {
		case "write_file":
			n, err = s.written(ctx, id)
		case "memory_save":
			n, err = s.remembered(ctx, id)
		default:
			continue
		}
		if err != nil {
			return err
		}
		if n > 1 || e.Status == "ok" && n != 1 {
			s.w.book.fault("%s: %s ended %s, and its effect is there %d times: %v", s, e.Name, e.Status, n, e)
		}
	}
	return nil
}

func (s *session) written(ctx context.Context, id string) (int, error) {
	a, err := s.ways[0].Do(ctx, http.MethodGet, "/api/files/notes/"+id+".txt", nil)
	switch {
	case err != nil:
		return 0, err
	case a.Status == http.StatusNotFound:
		return 0, nil
	case a.Status != http.StatusOK || string(a.Body) != id:
		return 0, fmt.Errorf("GET notes/%s.txt: %v", id, a)
	}
	return 1, nil
}

func (s *session) remembered(ctx context.Context, id string) (int, error) {
	a, err := s.ways[0].Do(ctx, http.MethodGet, "/api/memory/search?limit=20&keyword="+id, nil)
	if err != nil || a.Status != http.StatusOK {
		return 0, fmt.Errorf("GET memory/search: %v %w", a, err)
	}
	var found struct {
		Results []struct{ Content string }
	}
	if err := a.JSON(&found); err != nil {
		return 0, err
	}
	n := 0
	for _, item := range found.Results {
		if item.Content == id {
			n++
		}
	}
	return n, nil
}
