package runs

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/memory"
	"github.com/loongclaw/loongclaw/agent/session"
)

// recallBudget bounds what of the memory goes with one message, in tokens.
const recallBudget = 600

// execution is a run that this process carries out.
type execution struct {
	*open
	run    session.Run
	runLog *slog.Logger
}

func (s *open) execution(run session.Run) *execution {
	return &execution{s, run, s.Log.With(slog.String("user", s.user.Name), slog.String("session", s.id), slog.String("run", run.ID), slog.String("requestId", run.RequestID))}
}

// prepare returns where a run's turn stands, with what the model is told beside the
// user's words. told is what of that is new and not in the journal yet.
func (x *execution) prepare(ctx context.Context) (st loop.State, turn session.Turn, told *session.Context, err error) {
	x.mu.Lock()
	var taken int
	turn, taken = x.state.Turn(x.run.ID, x.user.Memory.Has), x.taken
	var persona <-chan string
	if a := x.arrival; a != nil && a.run == x.run.ID {
		persona, a.run = a.persona, ""
	}
	x.mu.Unlock()
	st = loop.State{Pending: turn.Pending, Rounds: turn.Rounds, Interactive: turn.Interactive, Preferred: turn.Model, RequestID: turn.RequestID}
	st.Client = loop.Client{Choice: turn.Client.Choice, NoCalls: turn.Client.NoCalls, OneCall: turn.Client.OneCall, Rounds: turn.Answered}
	if persona != nil {
		st.System = <-persona
	} else {
		st.System = x.Persona(ctx, x.user.Name)
	}
	if turn.Instructions != "" {
		st.System += "\n\n" + turn.Instructions
	}
	if !turn.Told() {
		notes := notesOf(x.user.Memory.Recall(ctx, turn.Question, recallBudget))
		told = turn.Tell(strings.ToLower(rand.Text()[:8]), dayOf(x.Now()), notes)
	}
	known := session.Memory{Heading: memory.Heading, Has: x.user.Memory.Has}
	room := session.RoomOf(x.Window, x.AnswerTokens, len(st.System)+sizeOf(beside(x.Tools.For(x.user.Name).Specs(), turn.Client.Tools)))
	if taken > 0 {
		room = min(room, taken) // the model has refused more
	}
	// What may be told is looked up before the messages are made: what is forgotten in
	// between is then in a summary's list though not in the summary.
	st.Compaction = turn.Compaction(newID("sum"), room, known)
	st.Messages = turn.Messages(known)
	return st, turn, told, x.attachments().show(ctx, st.Messages)
}

func dayOf(t time.Time) string { return t.UTC().Format("Monday, 2006-01-02") }

// notesOf takes the lines of what was recalled apart: a heading, and one line for
// each item.
func notesOf(prompt string, items []memory.Item) []session.Note {
	_, rest, _ := strings.Cut(prompt, "\n")
	var notes []session.Note
	for i, line := range strings.Split(rest, "\n") {
		if i >= len(items) {
			break
		}
		notes = append(notes, session.Note{
			ID: items[i].ID, Text: strings.TrimPrefix(line, "- "), From: items[i].Source, Day: items[i].Timestamp.UTC().Format(time.DateOnly), Foreign: len(items[i].Foreign) > 0,
		})
	}
	return notes
}

// sizeOf is what tools take in a request, in bytes.
func sizeOf(specs []loop.Spec) int {
	n := 0
	for _, s := range specs {
		n += len(s.Name) + len(s.Description) + len(s.Parameters)
	}
	return n
}
