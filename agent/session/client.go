package session

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// needsClientCalls is the reader that knows of calls which a client runs. One before
// it would take them for calls that a crash has cut short, and answer without their
// results.
const needsClientCalls = 1

// handedLife is how long a run waits for its client.
const handedLife = 24 * time.Hour

// Client is what a client brings along with a request: tools of its own, and how
// they may be called.
type Client struct {
	Tools   []loop.Spec `json:"tools,omitempty"`
	Digest  string      `json:"digest,omitempty"` // of the tools; a record without them means those of an earlier one
	Choice  loop.Choice `json:"choice,omitzero"`
	NoCalls bool        `json:"noCalls,omitempty"`
	OneCall bool        `json:"oneCall,omitempty"`
}

// digest sums up the tools.
func (c *Client) digest() string {
	if c == nil || len(c.Tools) == 0 {
		return ""
	}
	return hashOf(string(record.Marshal(c.Tools)))
}

// Output is what a client's tool gave.
type Output struct {
	CallID string // as the client knows it
	Text   string
}

// handed is a set of calls that a run waits for its client with.
type handed struct {
	handedBody
	returned uint64 // number of the record of what came of them, 0 while nothing has
}

// delegation is a call that a client has run, or is to run.
type delegation struct {
	run    *run
	call   *call
	handed *handed
}

// What a client calls a call: the session, and what tells it from all others there.
// With the four letters before them that is as long as OpenAI's own ids may be.
var (
	clientID     = regexp.MustCompile(`^call_([a-z0-9]{20,24})_[a-z2-7]{10}$`)
	threadName   = regexp.MustCompile(`^v1-[a-z0-9]{20,24}$`)
	threadPrefix = "v1-"
)

// ClientCallID returns the id by which a client knows a call. It names the session of
// a conversation of /v1, so that the results find it after a restart, too, and it is
// the same whenever it is made.
func ClientCallID(session string, epoch uint64, runID, callID string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %d %q %q", session, epoch, runID, callID))
	word := strings.ToLower(base32.StdEncoding.EncodeToString(sum[:20]))
	if !threadName.MatchString(session) {
		return "call_" + word
	}
	return "call_" + strings.TrimPrefix(session, threadPrefix) + "_" + word[:10]
}

// OfClientCall returns the session in which a client was given a call.
func OfClientCall(id string) (session string, ok bool) {
	m := clientID.FindStringSubmatch(id)
	if m == nil {
		return "", false
	}
	return threadPrefix + m[1], true
}

// atClient returns the calls that a run waits for its client with, nil where it does
// not.
func (r *run) atClient() *handed {
	if r == nil || r.Status != "" || r.handed == nil || r.handed.returned != 0 {
		return nil
	}
	return r.handed
}

// clients is what a session knows of the clients that bring tools along.
type clients struct {
	delegated map[string]delegation  // calls that they run, by the ids that they know
	toolsets  map[string][]loop.Spec // tools that they brought along, by their digest
}

// of returns what a client brings along as its run has it.
func (k *clients) of(c *Client) *Client {
	if c == nil {
		return nil
	}
	own := *c
	if len(own.Tools) > 0 {
		k.toolsets[own.Digest] = own.Tools
	} else {
		own.Tools = k.toolsets[own.Digest]
	}
	return &own
}

// recorded returns what is to be recorded of what a client brings along: tools that
// the session holds already are not written again.
func (k *clients) recorded(c *Client) *Client {
	if c == nil {
		return nil
	}
	own := *c
	own.Digest = c.digest()
	if _, known := k.toolsets[own.Digest]; known {
		own.Tools = nil
	}
	return &own
}

// applyHanded takes in that a run waits for its client.
func (r *run) applyHanded(s *State, b handedBody) error {
	r.handed = &handed{handedBody: b}
	for _, id := range b.Calls {
		c := r.calls[id]
		if c == nil || c.done || !c.Client {
			return fmt.Errorf("it hands over the call %q, which is none of the client's", id)
		}
		s.clients.delegated[ClientCallID(s.id, s.epoch, r.ID, id)] = delegation{r, c, r.handed}
	}
	return nil
}

// applyReturned takes in that the client has come back.
func (r *run) applyReturned(s *State, e placed, b returnedBody) {
	if r.handed != nil && r.handed.returned == 0 {
		r.handed.returned = e.seq
	}
	r.answered, r.Starts = r.Rounds, 1
	if b.RequestID != "" {
		r.RequestID = b.RequestID
	}
	if b.Trace != "" {
		r.Trace = b.Trace
	}
	if b.Instructions != nil {
		r.Instructions = *b.Instructions
	}
	r.client = s.clients.of(b.Client)
	s.keys.add(b.Key, b.Hash, e.at, s.receipt(r.ID, r.MessageID, e.seq))
}

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
	if missing := d.missing(s, given); len(missing) > 0 {
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

// find finds the calls that outputs are of: all of one set. given are the texts
// by the calls' ids in the journal.
func (k *clients) find(outputs []Output) (d delegation, given map[string]string, ok bool) {
	given = map[string]string{}
	for i, o := range outputs {
		one, known := k.delegated[o.CallID]
		if !known || i > 0 && one.handed != d.handed {
			return delegation{}, nil, false
		}
		d, given[one.call.ID] = one, o.Text
	}
	return d, given, len(outputs) > 0
}

// missing are the calls of a set that nothing was given for, as the client knows them.
func (d delegation) missing(s *State, given map[string]string) (ids []string) {
	for _, id := range d.handed.Calls {
		if _, ok := given[id]; !ok {
			ids = append(ids, ClientCallID(s.id, s.epoch, d.run.ID, id))
		}
	}
	return ids
}

// gave reports whether a set has had the very results that are given.
func (d delegation) gave(given map[string]string) bool {
	if len(given) != len(d.handed.Calls) {
		return false
	}
	for _, m := range d.run.steps {
		if m.Role != loop.RoleTool || !slices.Contains(d.handed.Calls, m.CallID) {
			continue
		}
		if text, ok := given[m.CallID]; !ok || KeptResult(text) != m.Text {
			return false
		}
	}
	return true
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
