package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
)

// asked is a run that waits for the user's decision.
type asked struct {
	stream     client.Stream
	runID      string
	approvalID string
}

// errUnasked: nothing asks there, so that nothing can be decided.
var errUnasked = &notAsked{"write_file runs unasked there: it stands in TOOLS_AUTO_APPROVE"}

// askToWrite has the model call a tool that asks. A language model may be of another
// mind once.
func (v *visit) askToWrite(ctx context.Context, session string) (asked, error) {
	path := session + ".txt"
	v.files = append(v.files, path) // it is not to be written; if it is, it is taken away
	const attempts = 2
	for i := 1; ; i++ {
		a, err := v.write(ctx, session, path)
		if err != nil || a.approvalID != "" {
			return a, err
		}
		if i == attempts {
			return asked{}, unlike("the event approval_required, after a message that asks for a file", "%d runs ended without it: the model called no tool", attempts)
		}
	}
}

// write sends the message and reads until something is asked, or the run ended.
func (v *visit) write(ctx context.Context, session, path string) (asked, error) {
	var run struct{ RunID, Cursor string }
	if err := v.user.Want(ctx, http.StatusAccepted, http.MethodPost, client.SessionPath(session, "/runs"),
		map[string]string{"message": `Write "smoke" to ` + path}, &run); err != nil {
		return asked{}, err
	}
	s, err := patiently(ctx, func() (client.Stream, error) { return v.user.Events(ctx, session, run.Cursor) })
	if err != nil {
		return asked{}, err
	}
	for {
		e, err := s.Next()
		switch {
		case err != nil:
			s.Cut()
			return asked{}, err
		case e.RunID != run.RunID:
			continue
		case e.Type == "approval_required":
			return asked{s, run.RunID, e.ApprovalID}, nil
		case e.Type == "tool_result" && e.Name == "write_file" && e.Status == "ok":
			s.Cut()
			return asked{}, errUnasked
		case e.Type == "run_finished" && e.Status != "done":
			s.Cut()
			return asked{}, unlike("a run that ends as done", "%s", frame(e, nil))
		case e.Type == "run_finished":
			s.Cut()
			return asked{}, nil
		}
	}
}

// ending reads until the run has ended, and gives that event and the tool's result.
func (a asked) ending() (end, result client.Event, err error) {
	for {
		e, err := a.stream.Next()
		switch {
		case errors.Is(err, io.EOF):
			return end, result, unlike("the event run_finished", "the stream ended before it")
		case err != nil:
			return end, result, err
		case e.RunID != a.runID:
			continue
		case e.Type == "tool_result":
			result = e
		case e.Type == "run_finished":
			return e, result, nil
		}
	}
}

// deny decides against a tool call. It does not run, and cannot be decided again.
func deny(ctx context.Context, v *visit) error {
	a, err := v.askToWrite(ctx, v.session("deny"))
	if err != nil {
		return err
	}
	defer a.stream.Cut()
	path := "/api/approvals/" + a.approvalID
	if err := v.user.Want(ctx, http.StatusOK, http.MethodPost, path, map[string]string{"decision": "deny"}, nil); err != nil {
		return err
	}
	again := client.Expectation{Method: http.MethodPost, Path: path, Body: map[string]string{"decision": "once"}, Status: http.StatusConflict, Code: "conflict"}
	if err := again.Ask(ctx, v.user); err != nil {
		return err
	}
	end, result, err := a.ending()
	if err != nil {
		return err
	}
	if result.Status != "denied" || end.Status != "done" {
		return unlike("a result denied, and a run that goes on to its end", "a result %q, a run %s", result.Status, end.Status)
	}
	return nil
}

// cancelRun ends a run that waits, so that none is too fast to be cancelled.
func cancelRun(ctx context.Context, v *visit) error {
	session := v.session("cancel")
	a, err := v.askToWrite(ctx, session)
	if err != nil {
		return err
	}
	defer a.stream.Cut()
	var told struct{ Cancelled []string }
	if err := v.user.Want(ctx, http.StatusOK, http.MethodPost, client.SessionPath(session, "/cancel"), map[string]string{}, &told); err != nil {
		return err
	}
	if !slices.Contains(told.Cancelled, a.runID) {
		return unlike("the run among the cancelled ones", "%d others", len(told.Cancelled))
	}
	end, _, err := a.ending()
	if err == nil && end.Status != "cancelled" {
		err = unlike("a run that ends as cancelled", "%s", frame(end, nil))
	}
	return err
}
