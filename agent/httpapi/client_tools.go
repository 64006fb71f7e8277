package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/openai"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// clientOf is what a client brings along with a request, nil where that is nothing.
func clientOf(q openai.Request) *session.Client {
	if len(q.Tools) == 0 {
		return nil
	}
	c := &session.Client{OneCall: q.OneCall, NoCalls: q.Choice.Word == openai.ChoiceNone}
	for _, t := range q.Tools {
		c.Tools = append(c.Tools, loop.Spec{Name: t.Name, Description: t.Description, Parameters: t.Parameters})
	}
	switch {
	case q.Choice.Name != "":
		c.Choice = loop.Choice{Kind: loop.ChooseOne, Name: q.Choice.Name}
	case q.Choice.Word == openai.ChoiceRequired:
		c.Choice = loop.Choice{Kind: loop.ChooseAny}
	}
	return c
}

// given are the results that a client sends of its last calls, though it goes on with
// another message.
func given(q openai.Request) []session.Output {
	if len(q.Earlier) == 0 {
		return nil
	}
	steps := q.Earlier[len(q.Earlier)-1].Steps
	if len(steps) == 0 {
		return nil
	}
	return outputs(steps[len(steps)-1].Results)
}

func outputs(results []openai.Result) []session.Output {
	var out []session.Output
	for _, r := range results {
		out = append(out, session.Output(r))
	}
	return out
}

// done are answers that called tools of a client, as they are kept. The ids of an
// exchange are its own, and each is there once.
func done(steps []openai.Step) []session.Done {
	used := map[string]bool{}
	var out []session.Done
	for _, s := range steps {
		d := session.Done{Text: s.Text}
		renamed := map[string]string{}
		for _, k := range s.Calls {
			id := k.ID
			for n := 2; used[id]; n++ {
				id = fmt.Sprintf("%s_%d", k.ID, n)
			}
			used[id], renamed[k.ID] = true, id
			d.Calls = append(d.Calls, loop.Call{ID: id, Name: k.Name, Arguments: json.RawMessage(k.Arguments)})
		}
		for _, r := range s.Results {
			d.Outputs = append(d.Outputs, session.Output{CallID: renamed[r.CallID], Text: r.Text})
		}
		out = append(out, d)
	}
	return out
}

// goOn answers a request that brings the results of calls: the run that waits for them
// goes on. Of calls that were made elsewhere, or that no run waits for any more, a
// conversation begins in which they have been made.
func (s *Server) goOn(c echo.Context, q openai.Request) error {
	if id, ok := session.OfClientCall(q.Results[0].CallID); ok {
		got, err := s.Runs.Return(c.Request().Context(), user(c), id, session.Results{
			Outputs: outputs(q.Results), Client: clientOf(q), Instructions: q.Instructions, Key: c.Request().Header.Get(chat.HeaderIdempotencyKey), RequestID: requestID(c),
		})
		if err != nil {
			return err
		}
		if got.Known {
			return s.tell(c, q, &telling{run: got.Run, before: got.Before, answer: openai.Answer{ID: "chatcmpl-" + got.Run.RunID + "." + got.Run.Cursor}})
		}
	}
	run, err := s.beginWith(c, q)
	if err != nil {
		return err
	}
	return s.tell(c, q, &telling{run: run, answer: openai.Answer{ID: "chatcmpl-" + run.RunID}})
}

// maxAgain bounds how often the same request is tried anew after it has failed.
const maxAgain = 32

// beginWith begins a conversation with what was done elsewhere. The same request that is
// sent again finds the run that it has begun, and begins another only where that has
// not come to its end.
func (s *Server) beginWith(c echo.Context, q openai.Request) (run chat.Run, err error) {
	if len(q.Begun) == 0 || strings.TrimSpace(q.Message) == "" {
		return run, fault.New(fault.CodeInvalidRequest, fmt.Sprintf("no answer waits for the result of the call %.80q", q.Results[0].CallID), "send the conversation from the user's message on, with the assistant's tool_calls").About("messages")
	}
	ctx, user, own := c.Request().Context(), user(c), c.Request().Header.Get(chat.HeaderIdempotencyKey)
	r := runs.Request{
		Message: q.Message, Instructions: q.Instructions, RequestID: requestID(c),
		Earlier: exchanges(q.Earlier), Client: clientOf(q), Begun: done(q.Begun),
	}
	for n := range maxAgain {
		if r.Key = own; own == "" {
			r.Key = keyOf(q, n)
			failed, err := s.Runs.Failed(ctx, user, newThread(user, r.Key), r.Key)
			if err != nil {
				return run, err
			}
			if failed && n+1 < maxAgain {
				continue
			}
		}
		run, err = s.Runs.Start(ctx, user, newThread(user, r.Key), r)
		if !errors.Is(err, session.ErrBegun) || own != "" {
			break
		} // else what it had begun is too old to be given again
	}
	s.note(user, run, err, q)
	return run, err
}

// keyOf stands for a request in place of an Idempotency-Key. The instructions do not
// count, since clients write clocks into them.
func keyOf(q openai.Request, n int) string {
	b, err := json.Marshal([]any{q.Earlier, q.Message, q.Begun, q.Tools, q.Choice, q.OneCall, n})
	if err != nil {
		panic(err) // strings, numbers and JSON that was parsed
	}
	sum := sha256.Sum256(b)
	return "tools-" + hex.EncodeToString(sum[:])
}
