package loop_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

var update = flag.Bool("update", false, "write what happens into testdata")

// TestTurns plays testdata/*.txtar. A case has a comment that says what it
// shows, the section "turn" (where the turn stands; may be missing), "model"
// (one answer a line), "tools", and "trace": everything that happened, in order.
func TestTurns(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d cases, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := read(t, archive)
			got := s.play(t)
			s.everyCallHasOneResult(t)
			if *update {
				archive.Files = append(archive.Files[:len(archive.Files)-1], txtar.File{Name: "trace", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			last := archive.Files[len(archive.Files)-1]
			if diff := cmp.Diff(string(last.Data), got); last.Name != "trace" || diff != "" {
				t.Errorf("what happened differs (-want +got; go test -update writes it):\n%s", diff)
			}
		})
	}
}

// turnText is the section "turn".
type turnText struct {
	Interactive bool
	Rounds      int
	FailRecord  int  // the n-th batch does not become durable
	Cancelled   bool // from the start
	Pending     []struct{ ID, Name, Arguments, Stage, Why string }
}

var stages = map[string]loop.Stage{"fresh": loop.Fresh, "asked": loop.Asked, "allowed": loop.Allowed, "refused": loop.Refused, "unknown": loop.Unknown}

// read makes a stage out of a case.
func read(t *testing.T, a *txtar.Archive) *stage {
	t.Helper()
	s := &stage{t: t, tools: map[string]tool{}}
	for _, f := range a.Files {
		switch f.Name {
		case "turn":
			decode(t, f.Data, &s.turn)
		case "model":
			for line := range strings.Lines(string(f.Data)) {
				var r reply
				decode(t, []byte(line), &r)
				s.replies = append(s.replies, r)
			}
		case "tools":
			decode(t, f.Data, &s.tools)
		case "trace":
		default:
			t.Fatalf("a case has no section %q", f.Name)
		}
	}
	return s
}

func decode(t *testing.T, b []byte, into any) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
}

// state is where the turn stands when the case begins.
func (s *stage) state() loop.State {
	st := loop.State{System: "persona", Interactive: s.turn.Interactive, Rounds: s.turn.Rounds, RequestID: "req_1"}
	st.Messages = []loop.Message{{Role: chat.RoleUser, Text: "hello"}}
	var calls []loop.Call
	for _, p := range s.turn.Pending {
		stage, ok := stages[p.Stage]
		if !ok {
			s.t.Fatalf("there is no stage %q", p.Stage)
		}
		c := loop.Call{ID: p.ID, Name: p.Name, Arguments: json.RawMessage(p.Arguments)}
		calls = append(calls, c)
		st.Pending = append(st.Pending, loop.Pending{Call: c, Stage: stage, Why: p.Why})
		s.owed = append(s.owed, p.ID)
	}
	if len(calls) > 0 {
		st.Messages = append(st.Messages, loop.Message{Role: chat.RoleAssistant, Calls: calls})
	}
	return st
}

// play runs the turn and gives the trace.
func (s *stage) play(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.cancel = cancel
	if s.turn.Cancelled {
		cancel()
	}
	turn := loop.Turn{Model: s, Tools: s, Recorder: s}
	out, err := turn.Run(ctx, s.state())
	s.parked = out.Parked
	switch {
	case err != nil:
		s.say("ended: %v", err)
	case out.Parked:
		s.say("parked")
	default:
		s.say("done")
	}
	if errors.Is(err, context.Canceled) != (ctx.Err() != nil) {
		t.Errorf("cancelled: %v, error: %v", ctx.Err(), err)
	}
	s.steps("  with its end: ", out.Steps)
	if u := out.Usage; u != nil {
		s.say("usage %d+%d=%d", u.PromptTokens, u.CompletionTokens, u.TotalTokens)
	}
	if len(s.replies) > 0 {
		t.Errorf("%d answers of the script were not asked for", len(s.replies))
	}
	return s.trace.String()
}

// everyCallHasOneResult counts, over what became durable and what goes with the
// turn's end, the results of each call that is pending or in an answer.
func (s *stage) everyCallHasOneResult(t *testing.T) {
	t.Helper()
	results := map[string]int{}
	for _, id := range s.results {
		results[id]++
	}
	for _, id := range s.owed {
		switch n := results[id]; {
		case n > 1:
			t.Errorf("%s has %d results", id, n)
		case n == 0 && !s.parked:
			t.Errorf("%s has no result", id)
		}
		delete(results, id)
	}
	for id := range results {
		t.Errorf("%s has a result and was never called", id)
	}
}

// Whichever batch the store does not take: the turn ends with the store's error,
// and nothing has an effect after it.
func TestAStoreFailureEndsTheTurn(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/several_calls.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 4; n++ {
		s := read(t, archive)
		s.turn.FailRecord = n
		out, err := loop.Turn{Model: s, Tools: s, Recorder: s}.Run(t.Context(), s.state())
		if fault.CodeOf(err) != fault.CodeStoreFailed || out.Parked {
			t.Errorf("batch %d: got %v, parked %v", n, err, out.Parked)
		}
		_, after, failed := strings.Cut(s.trace.String(), "not recorded: ")
		if !failed || strings.Count(after, "\n") != 1 {
			t.Errorf("batch %d: after it came %q", n, after)
		}
		if runs := strings.Count(s.trace.String(), "run "); runs != n-1 {
			t.Errorf("batch %d: %d calls ran, want %d", n, runs, n-1)
		}
	}
}
