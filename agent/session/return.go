package session

import (
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Results are what a client's tools gave, with what the client brings along for what
// comes next.
type Results struct {
	Outputs          []Output
	Client           *Client
	Instructions     string
	Key              string // Idempotency-Key
	RequestID, Trace string
}

// Returned is what becomes of results.
type Returned struct {
	Known    bool            // they are of calls that were made here, and the run goes on with them
	Run      chat.Run        // from whose cursor on the run's answer to them is read
	Before   chat.Usage      // what the run had used until then
	Records  []record.Record // to be written; none where it is a repetition
	Repeated bool            // they had come before
}

// Return takes in the results of a client's tools. They are not known where the run
// does not wait for them any more: then the client's conversation is another one.
func (s *State) Return(q Results, now time.Time) (Returned, error) {
	hash := hashOf(string(record.Marshal(q.Outputs)))
	if known, err := s.keys.find(q.Key, hash, now); err != nil {
		return Returned{}, err
	} else if known != nil {
		if d, ok := s.clients.delegated[firstCall(q.Outputs)]; ok {
			return Returned{Known: true, Run: *known, Before: deref(d.handed.Usage), Repeated: true}, nil
		}
	}
	d, given, ok := s.clients.find(q.Outputs)
	if !ok {
		return Returned{}, nil
	}
	out := Returned{Known: true, Before: deref(d.handed.Usage)}
	if d.handed.returned != 0 {
		// A run that has failed since is worth another try.
		if out.Repeated = d.run.Status == "" || d.run.Status == chat.RunDone; !out.Repeated || !d.gave(given) {
			return Returned{}, nil
		}
		out.Run = s.receipt(d.run.ID, d.run.MessageID, d.handed.returned)
		return out, nil
	}
	if d.run.atClient() != d.handed || now.After(d.handed.ExpiresAt.Time) {
		return Returned{}, nil
	}
	if missing := d.missing(given, func(id string) string { return ClientCallID(s.id, s.epoch, d.run.ID, id) }); len(missing) > 0 {
		return Returned{}, MissingResults(missing)
	}
	for _, id := range d.handed.Calls {
		c := d.run.calls[id]
		out.Records = append(out.Records, record.New(recResult, resultBody{d.run.ID, id, c.Name, chat.ToolOK, KeptResult(given[id])}))
	}
	b := returnedBody{RunID: d.run.ID, Client: s.clients.recorded(q.Client), Key: q.Key, Hash: hash, RequestID: q.RequestID, Trace: q.Trace}
	if q.Instructions != d.run.Instructions {
		b.Instructions = &q.Instructions
	}
	out.Records = append(out.Records, record.New(recReturned, b))
	out.Run = s.receipt(d.run.ID, d.run.MessageID, s.Seq()+uint64(len(out.Records)))
	return out, nil
}

// MissingResults returns the error of a request that lacks results of calls.
func MissingResults(ids []string) error {
	return fault.New(fault.CodeInvalidRequest, "tool messages are missing for the calls "+strings.Join(ids, ", "),
		`send {"role":"tool","tool_call_id":"…","content":"…"} for each call of the assistant's last message`).About("messages")
}

func firstCall(outputs []Output) string {
	if len(outputs) == 0 {
		return ""
	}
	return outputs[0].CallID
}

// Why a run that waited for its client has ended.
const (
	wentOn  = "the client went on without the result"
	expired = "the client did not say within 24 hours what came of it"
)

// interrupt returns the records that end a run which waits for its client, since its
// conversation goes on in another way. Results that came all the same are kept.
func interrupt(s *State, why string, outputs []Output) []record.Record {
	r := s.runs.now()
	if r.atClient() == nil {
		return nil
	}
	given := map[string]string{}
	if d, texts, ok := s.clients.find(outputs); ok && d.handed == r.handed {
		given = texts
	}
	return r.close(closing{
		status: chat.RunInterrupted, why: why, given: given,
		err: fault.New(fault.CodeConflict, why, "send the message again, with the results of all calls"),
	})
}
