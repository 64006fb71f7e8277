package client

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// ToolQuestion is what a model answers with a tool call: any that can be taken
// seriously, and the offline one.
const ToolQuestion = "What is the current time? Call the tool get_current_time, then say it in a few words."

// WrongToken has the form of a token and is none.
const WrongToken = "not-a-token-of-anybody"

// Visitor is a user who proves a deployed gateway by talking in one session.
type Visitor struct {
	*Client
	Patience time.Duration // for a request, and for a turn
	Session  string
	Ledger   *Ledger // of the session, over all its connections
}

// Turn is what one turn showed.
type Turn struct {
	Calls  int // tools that were called and answered well
	Answer string
}

// Want is Client.Want within the visitor's patience.
func (v *Visitor) Want(ctx context.Context, status int, method, path string, body, into any, headers ...Header) error {
	ctx, cancel := context.WithTimeout(ctx, v.Patience)
	defer cancel()
	return v.Client.Want(ctx, status, method, path, body, into, headers...)
}

// AskForTool asks a question that needs a tool, twice where it must be: a language
// model may be of another mind once.
func (v *Visitor) AskForTool(ctx context.Context) error {
	const attempts = 2
	for i := 1; ; i++ {
		seen, err := v.Say(ctx, ToolQuestion)
		if err != nil || seen.Calls > 0 {
			return err
		}
		if i == attempts {
			return fmt.Errorf("asked for the time %d times, the model called no tool; it said %.200q", attempts, seen.Answer)
		}
	}
}

// Say sends a message and follows its run by cursor, over connections that are cut
// and taken up again.
func (v *Visitor) Say(ctx context.Context, message string) (Turn, error) {
	ctx, cancel := context.WithTimeout(ctx, v.Patience)
	defer cancel()
	var run struct{ RunID, Cursor string }
	if err := v.Want(ctx, http.StatusAccepted, http.MethodPost, SessionPath(v.Session, "/runs"), map[string]string{"message": message}, &run,
		Header{"Idempotency-Key", rand.Text()}); err != nil {
		return Turn{}, fmt.Errorf("sending a message: %w", err)
	}
	var seen Turn
	for {
		done, err := v.follow(ctx, run.RunID, &seen)
		if err != nil || done {
			return seen, err
		}
		select {
		case <-ctx.Done():
			return seen, fmt.Errorf("the run did not finish within %v", v.Patience)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// follow reads the session after the ledger's cursor until the run ends, or until
// it has something new: then it cuts the connection, for the next one to go on.
func (v *Visitor) follow(ctx context.Context, run string, seen *Turn) (done bool, err error) {
	stream, err := v.Events(ctx, v.Session, v.Ledger.Cursor)
	if err != nil {
		var refused *Refused
		if errors.As(err, &refused) && refused.Answer.MayPass() {
			return false, nil
		}
		return false, fmt.Errorf("following the run: %w", err)
	}
	defer stream.Cut()
	for {
		e, err := stream.Next()
		if errors.Is(err, io.EOF) || ctx.Err() != nil {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("following the run: %w", err)
		}
		if err := v.Ledger.Take(e); err != nil {
			return false, fmt.Errorf("resuming by cursor: %w", err)
		}
		if e.RunID != run {
			continue
		}
		switch e.Type {
		case "tool_result":
			if e.Status == "ok" {
				seen.Calls++
			}
			return false, nil // cut in the middle
		case "message_complete":
			seen.Answer = e.Text()
		case "run_finished":
			if e.Status != "done" {
				return false, fmt.Errorf("a run ended %s: %.300s", e.Status, e.Raw)
			}
			return true, nil
		}
	}
}

// Replay reads the session from its start, and holds it against what was seen live.
func (v *Visitor) Replay(ctx context.Context) error {
	if v.Ledger.Cursor == "" {
		return nil
	}
	// As every client does, it goes on from where it was: an agent that knew the
	// session before sees by the cursor that another has written to it since.
	if _, err := v.Page(ctx, v.Session, v.Ledger.Cursor); err != nil {
		return fmt.Errorf("going on with the session: %w", err)
	}
	again := NewLedger()
	for after := ""; ; {
		page, err := v.Page(ctx, v.Session, after)
		if err != nil {
			return fmt.Errorf("reading the session: %w", err)
		}
		for _, e := range page.Events {
			if err := again.Take(e); err != nil {
				return fmt.Errorf("reading the session: %w", err)
			}
		}
		if after = page.Next; len(page.Events) == 0 || after == "" {
			break
		}
	}
	for run, want := range v.Ledger.Answers {
		got := again.Answers[run]
		if len(got) != len(want) || len(again.Finished[run].Raw) == 0 {
			return fmt.Errorf("the session is not as it was left: of a run with %d answers %d are there", len(want), len(got))
		}
		for i := range want {
			if got[i].Text() != want[i].Text() {
				return fmt.Errorf("the session is not as it was left: an answer was %.100q and is %.100q", want[i].Text(), got[i].Text())
			}
		}
	}
	return nil
}
