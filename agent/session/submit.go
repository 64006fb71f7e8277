package session

import (
	"slices"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Message is a user's message on its way into a session.
type Message struct {
	RunID, MessageID string  // new ones
	ParentID         *string // answer from this earlier point; nil: from the end
	Content          string
	Interactive      bool // somebody can answer an approval
	Instructions     string
	Model            *string // who is to answer first from here on; nil: as before; empty: the default
	Key              string  // Idempotency-Key
	RequestID, Trace string

	Client *Client  // what the client brings along
	Given  []Output // results of calls that it had, though it goes on with this message

	// Begun is what was done for the message elsewhere: calls of the client's tools
	// and what these gave. Only an empty session can begin so.
	Begun    []Done
	Attached []Attached // read and kept by now
	Brought  []string   // what the sender called them, or the hashes of what came with the request

	// Earlier is what an empty session begins with: a conversation that somebody
	// else kept, with an id for each of its runs and messages.
	Earlier []Exchange
}

// Exchange is a message and its answer that somebody else kept.
type Exchange struct {
	RunID, QuestionID, AnswerID string
	User, Assistant             string
	Attached                    []Attached
	Done                        []Done // before the answer
}

// Done is an answer that called tools of a client, and what these gave, as the client
// tells it.
type Done struct {
	AnswerID string `json:"-"` // a new one
	Text     string
	Calls    []loop.Call // no two have the same id
	Outputs  []Output    // by the ids of these calls
}

// Again is the wish to have a message answered again, as a new branch.
type Again struct {
	RunID     string // a new one
	MessageID string // what to answer, or a message behind it; empty: the end of the shown branch
	Key       string
	RequestID string
	Trace     string
}

// Submitted is what becomes of a message.
type Submitted struct {
	Run      chat.Run        // what its sender is told
	Records  []record.Record // to be written; none where it is a repetition
	Repeated bool            // of a message that was taken in before, under the same key
	Starts   bool            // its run is to be started at once: it needs a place among the active ones
}

// Submit takes a message in. self is who would run it.
func (s *State) Submit(m Message, self Owner, now time.Time) (Submitted, error) {
	m.Begun = tidied(m.Begun)
	parent := "\x00" // what no id can be
	if m.ParentID != nil {
		parent = *m.ParentID
	}
	what := []string{"message", m.Content, parent}
	if m.Model != nil {
		what = append(what, *m.Model)
	}
	if c := m.Client; c != nil {
		what = append(what, string(record.Marshal(c)))
	}
	if len(m.Begun) > 0 {
		what = append(what, string(record.Marshal(m.Begun)))
	}
	if len(m.Brought) > 0 {
		what = append(what, "attachments", strings.Join(m.Brought, "\x00"))
	}
	b := messageBody{
		Attached:  m.Attached,
		MessageID: m.MessageID, RunID: m.RunID, ParentID: m.ParentID, Content: m.Content, Interactive: m.Interactive,
		Key: m.Key, Hash: hashOf(what...), RequestID: m.RequestID, Instructions: m.Instructions, Model: m.Model, Trace: m.Trace, Client: s.clients.recorded(m.Client),
	}
	if known, err := s.keys.find(b.Key, b.Hash, now); known != nil || err != nil {
		return Submitted{Run: behindBegun(s, deref(known)), Repeated: known != nil}, err
	}
	if err := s.runs.full(); err != nil {
		return Submitted{}, err
	}
	if len(m.Begun) > 0 && s.Seq() > 0 {
		return Submitted{}, ErrBegun
	}
	before := interrupt(s, wentOn, m.Given)
	if s.Seq() == 0 && len(m.Earlier) > 0 {
		var end string
		before, end = adopted(m.Earlier, self)
		b.ParentID = &end
	} else if err := s.placeMessage(&b); err != nil {
		return Submitted{}, err
	}
	out := Submitted{Run: s.receipt(b.RunID, b.MessageID, s.Seq()+uint64(len(before))+1), Records: append(before, record.New(recMessage, b)), Starts: !s.runs.Busy()}
	if out.Starts {
		out.Records = append(out.Records, record.New(recStarted, startedBody{RunID: b.RunID, ParentID: deref(b.ParentID), Owner: self}))
		begun, _ := done(m.Begun, b.RunID, b.MessageID)
		if out.Records = append(out.Records, begun...); len(begun) > 0 {
			out.Run = s.receipt(b.RunID, b.MessageID, s.Seq()+uint64(len(out.Records))+1)
		}
	}
	return out, nil
}

// behindBegun is a receipt from whose cursor on nothing is read that was done
// elsewhere: whoever says that it was has it.
func behindBegun(s *State, run chat.Run) chat.Run {
	if r := s.runs.by[run.RunID]; r != nil && r.begun > 0 {
		return s.receipt(run.RunID, run.MessageID, r.begun+1)
	}
	return run
}

// Keyed returns the run that an Idempotency-Key stands for.
func Keyed(s *State, key string, now time.Time) (Run, bool) {
	k, ok := s.keys.get(key, now)
	if !ok {
		return Run{}, false
	}
	return s.runs.Get(k.run.RunID)
}

// tidied gives calls that were made elsewhere the arguments with which they are kept.
func tidied(begun []Done) []Done {
	out := slices.Clone(begun)
	for i := range out {
		out[i].Calls = slices.Clone(out[i].Calls)
		for j, c := range out[i].Calls {
			out[i].Calls[j].Arguments = object(c.Arguments)
		}
	}
	return out
}

// ErrBegun is the error of a message that something was done for elsewhere, in a
// session that is not empty.
var ErrBegun = fault.New(fault.CodeConflict, "this session holds another conversation", "send it again")

// placeMessage says what a message answers, where that is known by now.
func (s *State) placeMessage(b *messageBody) error {
	if b.ParentID != nil && *b.ParentID != "" && s.tree.nodes[*b.ParentID] == nil {
		return fault.New(fault.CodeInvalidRequest, "parentId is not a message of this session", "GET /api/history/{session}?tree=1 lists them")
	}
	if b.Queued = s.runs.Busy(); !b.Queued && b.ParentID == nil {
		head := s.tree.head
		b.ParentID = &head
	}
	return nil
}

// Regenerate takes the wish for another answer in.
func (s *State) Regenerate(a Again, self Owner, now time.Time) (Submitted, error) {
	from := a.MessageID
	if from == "" {
		from = s.tree.head
	}
	n := s.tree.lastUser(from)
	if n == nil {
		return Submitted{}, fault.New(fault.CodeNotFound, "there is no such message to answer again", "GET /api/history/{session}?tree=1 lists them")
	}
	b := regenerateBody{RunID: a.RunID, MessageID: n.ID, Key: a.Key, Hash: hashOf("regenerate", a.MessageID), RequestID: a.RequestID, Trace: a.Trace}
	if known, err := s.keys.find(b.Key, b.Hash, now); known != nil || err != nil {
		return Submitted{Run: deref(known), Repeated: known != nil}, err
	}
	if err := s.runs.full(); err != nil {
		return Submitted{}, err
	}
	before := interrupt(s, wentOn, nil)
	out := Submitted{Run: s.receipt(b.RunID, b.MessageID, s.Seq()+uint64(len(before))+1), Records: append(before, record.New(recRegenerate, b)), Starts: !s.runs.Busy()}
	if out.Starts {
		out.Records = append(out.Records, record.New(recStarted, startedBody{RunID: b.RunID, Owner: self}))
	}
	return out, nil
}

// adopted returns the records of a conversation that began elsewhere: each exchange
// as a run that is over. last is the end of that branch.
func adopted(all []Exchange, self Owner) (records []record.Record, last string) {
	for _, e := range all {
		parent := last
		records = append(records,
			record.New(recMessage, messageBody{MessageID: e.QuestionID, RunID: e.RunID, ParentID: &parent, Content: e.User, Attached: e.Attached}),
			record.New(recStarted, startedBody{RunID: e.RunID, ParentID: parent, Owner: self}),
		)
		steps, end := done(e.Done, e.RunID, e.QuestionID)
		records, last = append(records, steps...), end
		if e.Assistant != "" || len(e.Done) == 0 {
			records = append(records, record.New(recAnswer, answerBody{RunID: e.RunID, MessageID: e.AnswerID, ParentID: end, Content: e.Assistant}))
			last = e.AnswerID
		}
		records = append(records, record.New(recFinished, Finished{RunID: e.RunID, Status: chat.RunDone}))
	}
	return slices.Clip(records), last
}

// done returns the records of what a run did elsewhere, and the message that it ended
// with.
func done(steps []Done, runID, message string) (records []record.Record, last string) {
	last = message
	for _, d := range steps {
		a := answerBody{RunID: runID, MessageID: d.AnswerID, ParentID: last, Content: d.Text, Finish: chat.FinishToolCalls, Adopted: true}
		outputs := map[string]string{}
		for _, o := range d.Outputs {
			outputs[o.CallID] = o.Text
		}
		var results []record.Record
		for _, c := range d.Calls {
			c.Arguments, c.Client = object(c.Arguments), true
			a.Calls = append(a.Calls, c)
			result := resultBody{runID, c.ID, c.Name, chat.ToolSkipped, wentOn}
			if text, ok := outputs[c.ID]; ok {
				result.Status, result.Output = chat.ToolOK, KeptResult(text)
			}
			results = append(results,
				record.New(recCall, callBody{runID, c.ID, c.Name, c.Arguments, true}),
				record.New(recResult, result))
		}
		records, last = append(append(records, record.New(recAnswer, a)), results...), d.AnswerID
	}
	return records, last
}
