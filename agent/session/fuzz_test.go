package session_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// player makes random decisions in a session, as users, workers of two agents and
// crashes would.
type player struct {
	*driver
	choose    func(n int) int
	runs      []string
	messages  []string
	approvals []string
	handed    [][]chat.ClientCall // calls that clients were given, by the set
	seen      map[string]string   // what a reader that goes on from cursor to cursor has seen of each message
	thought   map[string]string   // and of its reasoning
	cursor    chat.Cursor
}

func newPlayer(t testing.TB, choose func(int) int) *player {
	return &player{driver: newDriver(t), choose: choose, messages: []string{""}, seen: map[string]string{}, thought: map[string]string{}}
}

func (p *player) owner() session.Owner { return []session.Owner{here, there}[p.choose(2)] }

func (p *player) pick(from []string) string {
	if len(from) == 0 {
		return "none"
	}
	return from[p.choose(len(from))]
}

// play makes one decision.
func (p *player) play() {
	switch p.choose(14) {
	case 12, 13:
		p.results()
	case 0, 1:
		m := session.Message{RunID: p.id("run"), MessageID: p.id("msg"), Content: "text", Interactive: p.choose(2) == 0, Key: []string{"", "k1", "k2"}[p.choose(3)], Client: p.client()}
		if len(p.handed) > 0 && p.choose(3) == 0 {
			m.Given = p.outputs()
		}
		if p.choose(8) == 0 {
			m.Begun = []session.Done{{AnswerID: p.id("msg"), Text: []string{"", "I look."}[p.choose(2)], Calls: []loop.Call{theirCall("b1")}, Outputs: []session.Output{{CallID: "b1", Text: "cold"}}}}
		}
		if p.choose(4) == 0 {
			parent := p.pick(p.messages)
			m.ParentID = &parent
		}
		if p.choose(8) == 0 {
			m.Earlier = []session.Exchange{{RunID: p.id("run"), QuestionID: p.id("msg"), AnswerID: p.id("msg"), User: "u", Assistant: "a"}}
		}
		p.submitted(p.state.Submit(m, p.owner(), p.now))
	case 2:
		p.submitted(p.state.Regenerate(session.Again{RunID: p.id("run"), MessageID: p.pick(p.messages)}, p.owner(), p.now))
	case 3, 4:
		c := session.Carrier{Owner: p.owner(), Draining: p.choose(5) == 0}
		if p.choose(2) == 0 {
			c.Claimed = uint64(p.choose(len(p.journal) + 1))
		}
		if p.choose(2) == 0 {
			c.Executed = uint64(p.choose(len(p.journal) + 1))
		}
		p.commit(p.state.Next(c, p.now).Records)
	case 5:
		p.commit(p.state.Cancel([]string{"", p.pick(p.runs)}[p.choose(2)], p.choose(2) == 0).Records)
	case 6:
		records, _, err := p.state.Decide(p.pick(p.approvals), []string{chat.DecideOnce, chat.DecideSession, chat.DecideDeny}[p.choose(3)], p.now)
		if err == nil {
			p.commit(records)
		}
	case 7:
		head := p.pick(p.messages)
		if records, err := p.state.Update(session.Edit{Head: &head}); err == nil {
			p.commit(records)
		}
	case 8:
		if run, ok := p.state.Runs().Current(); ok {
			if p.choose(3) > 0 {
				p.state.Think(run.ID, []string{"", "because", strings.Repeat("so ", 30_000)}[p.choose(3)], p.id("msg"))
			} else {
				p.state.Say(run.ID, "ab", p.id("msg"))
			}
			p.check()
		}
	case 9:
		p.now = p.now.Add(time.Duration(p.choose(26)) * time.Hour)
	default:
		p.step()
	}
	p.look()
}

// client is what a client may bring along.
func (p *player) client() *session.Client {
	if p.choose(2) == 0 {
		return nil
	}
	return &session.Client{Tools: []loop.Spec{{Name: "weather"}}[:p.choose(2)], OneCall: p.choose(2) == 0}
}

// outputs are results of a set of calls that a client was given once: all of them, or
// not.
func (p *player) outputs() []session.Output {
	var out []session.Output
	for _, c := range p.handed[p.choose(len(p.handed))] {
		if p.choose(5) > 0 {
			out = append(out, session.Output{CallID: c.ID, Text: []string{"cold", "warm"}[p.choose(4)/3]})
		}
	}
	return out
}

// results are brought by a client. Those of a run that waits for them have it go on,
// and the same again change nothing.
func (p *player) results() {
	p.t.Helper()
	if len(p.handed) == 0 {
		return
	}
	q := session.Results{Outputs: p.outputs(), Client: p.client(), Key: []string{"", "k3"}[p.choose(2)]}
	got, err := p.state.Return(q, p.now)
	if err != nil || !got.Known {
		if len(got.Records) > 0 {
			p.t.Fatalf("results that are not taken: %+v", got)
		}
		return
	}
	p.commit(got.Records)
	if len(got.Records) == 0 {
		return
	}
	again, err := p.state.Return(q, p.now)
	if err != nil || !again.Known || !again.Repeated || again.Run != got.Run || len(again.Records) > 0 {
		p.t.Fatalf("the same again: %+v, %v, want %+v", again, err, got)
	}
}

func (p *player) submitted(sub session.Submitted, err error) {
	if err == nil {
		p.commit(sub.Records)
		p.runs = append(p.runs, sub.Run.RunID)
	}
}

// step does what a turn of the current run might do.
func (p *player) step() {
	run, ok := p.state.Runs().Current()
	if !ok {
		return
	}
	forgets := p.choose(3) == 0
	memory := session.Memory{Has: func(string) bool { return !forgets }}
	turn := p.state.Turn(run.ID, memory.Has)
	compaction := turn.Compaction(p.id("sum"), 1000, memory)
	p.conversation(turn.Messages(memory), compaction)
	progress := session.Progress{RunID: run.ID, Owner: p.owner(), Room: 1 << (8 + p.choose(12)), Now: p.now, NewID: p.id}
	progress.Context = turn.Tell("fence", fmt.Sprint(p.choose(2)), []session.Note{{ID: "n", Text: "note"}})
	if cuts := slices.Sorted(maps.Keys(compaction.Bounds)); len(cuts) > 0 && !compaction.Tried && p.choose(4) == 0 {
		st := loop.SummaryStep{ID: compaction.ID, Bound: compaction.Bounds[cuts[p.choose(len(cuts))]], Text: []string{"", "in short"}[p.choose(2)]}
		progress.Steps = append(progress.Steps, loop.Step{Summary: &st})
	}
	if len(turn.Pending) == 0 {
		var calls []loop.Call
		for range p.choose(3) {
			c := writeCall(p.id("call"))
			if p.choose(2) == 0 {
				c = theirCall(p.id("call"))
			}
			calls = append(calls, c)
		}
		progress.Steps = append(progress.Steps, answer(turn.Rounds+1, []string{"", "an answer"}[p.choose(2)], calls...))
	} else if c := turn.Pending[0]; c.Call.Client {
		if c.Stage == loop.AtClient {
			return // it waits
		}
		st := loop.HandedStep{}
		for _, c := range turn.Pending {
			if c.Stage == loop.Fresh {
				progress.Steps = append(progress.Steps, loop.Step{Call: &c.Call})
			}
			st.Calls = append(st.Calls, c.Call.ID)
		}
		progress.Steps = append(progress.Steps, loop.Step{Handed: &st})
	} else {
		if c.Stage == loop.Fresh {
			progress.Steps = append(progress.Steps, loop.Step{Call: &c.Call})
			if p.choose(2) == 0 {
				progress.Steps = append(progress.Steps, loop.Step{Ask: &loop.AskStep{Call: c.Call, Scope: "scope"}})
			}
		}
		if c.Stage != loop.Asked && len(progress.Steps) < 2 && p.choose(3) > 0 {
			progress.Steps = append(progress.Steps, loop.Step{Result: &loop.Result{Call: c.Call, Status: chat.ToolOK, Output: "out"}})
		}
	}
	if p.choose(4) == 0 && (len(progress.Steps) == 0 || progress.Steps[len(progress.Steps)-1].Handed == nil) {
		progress.End = &session.Finished{Status: chat.RunDone}
	}
	for {
		made, err := p.state.Record(progress)
		if err != nil {
			return // another process has the run
		}
		p.commit(made.Records)
		if !made.More {
			return
		}
	}
}

// conversation holds what a model would be sent to what every provider insists on:
// it begins with the user's side, each call has its result, and a summary is only
// at the beginning. Where a summary may stand, a turn begins.
func (p *player) conversation(messages []loop.Message, c loop.Compaction) {
	p.t.Helper()
	for i, m := range messages {
		if i == 0 && m.Role != chat.RoleUser || i > 0 && m.Summary {
			p.t.Fatalf("message %d of %d: %+v", i, len(messages), m)
		}
	}
	for at, b := range c.Bounds {
		if at <= 0 || at >= len(messages) || messages[at].Role != chat.RoleUser || b.UpTo == "" {
			p.t.Fatalf("a summary up to %q would stand before message %d of %d", b.UpTo, at, len(messages))
		}
	}
}

// look reads on, and holds what was shown to the law of cursors: the pieces of an
// attempt at an answer join to what is said in the end.
func (p *player) look() {
	p.t.Helper()
	events, cur := p.state.Events(p.cursor, chat.At(p.now))
	p.cursor = cur
	if p.choose(4) == 0 { // it leaves, and comes back with what it was given
		back, err := chat.ParseCursor("s", cur.Encode("s"))
		if err != nil {
			p.t.Fatal(err)
		}
		p.cursor = back
	}
	for _, e := range events {
		switch e.Type {
		case chat.TypeMessage:
			p.messages = append(p.messages, e.MessageID)
		case chat.TypeMessageChunk:
			p.seen[e.MessageID] += *e.Content
		case chat.TypeReasoningChunk:
			thought := p.thought[e.MessageID][:min(e.Offset, uint64(len(p.thought[e.MessageID])))]
			if e.Offset != 0 && len(thought) != int(e.Offset) || e.MessageID == "" { //nolint:gosec // a few bytes
				p.t.Fatalf("reasoning of %q goes on at %d, after %d bytes", e.MessageID, e.Offset, len(thought))
			}
			if p.thought[e.MessageID] = thought + *e.Content; len(p.thought[e.MessageID]) > 64<<10 {
				p.t.Fatalf("%d bytes of reasoning are shown", len(p.thought[e.MessageID]))
			}
		case chat.TypeMessageComplete:
			p.messages = append(p.messages, e.MessageID)
			if got := p.seen[e.MessageID]; got != *e.Content {
				p.t.Fatalf("the pieces of %s join to %q, and it says %q", e.MessageID, got, *e.Content)
			}
		case chat.TypeClientCalls:
			p.handed = append(p.handed, e.Calls)
			for _, c := range e.Calls {
				if c.ID == "" || c.Name != "weather" {
					p.t.Fatalf("a client is given %+v", c)
				}
			}
		case chat.TypeApprovalRequired:
			p.approvals = append(p.approvals, e.ApprovalID)
		}
	}
}

// restart holds what a new process reads to what ran before.
func (p *player) restart() {
	p.t.Helper()
	s := p.restarted()
	if err := s.Check(); err != nil {
		p.t.Fatalf("a restart: %v", err)
	}
	if diff := cmp.Diff(p.state.History(true), s.History(true)); diff != "" {
		p.t.Fatalf("the history after a restart:\n%s", diff)
	}
	whole := func(s *session.State) []chat.Event {
		events, _ := s.Events(chat.Cursor{}, chat.Time{})
		for len(events) > 0 && (events[len(events)-1].Type == chat.TypeMessageChunk || events[len(events)-1].Type == chat.TypeReasoningChunk) {
			events = events[:len(events)-1] // an answer that was being given
		}
		return events
	}
	if diff := cmp.Diff(whole(p.state), whole(s), cmpopts.IgnoreUnexported(fault.Error{})); diff != "" {
		p.t.Fatalf("the events after a restart:\n%s", diff)
	}
	if diff := cmp.Diff(p.state.Summaries(has), s.Summaries(has)); diff != "" {
		p.t.Fatalf("the summaries after a restart:\n%s", diff)
	}
	if diff := cmp.Diff(p.state.AuditLog(0), s.AuditLog(0)); diff != "" {
		p.t.Fatalf("the audit log after a restart:\n%s", diff)
	}
}

func TestRandomDecisionsKeepTheInvariants(t *testing.T) {
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a test that is the same each time
			p := newPlayer(t, r.IntN)
			for range 150 {
				p.play()
				if r.IntN(40) == 0 {
					p.restart()
				}
			}
			p.restart()
		})
	}
}

func FuzzDecisions(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x0a\x01\x0a\x02\x05\x03\x06"))
	f.Add([]byte(strings.Repeat("\x00\x0a\x03\x01", 20)))
	f.Fuzz(func(t *testing.T, data []byte) {
		at := 0
		p := newPlayer(t, func(n int) int {
			if at >= len(data) {
				return 0
			}
			at++
			return int(data[at-1]) % n
		})
		for at < len(data) {
			p.play()
		}
		p.restart()
	})
}

// What a journal holds may be of any shape: a state takes it in or says that it is
// damaged, and whatever is asked of it afterwards has an answer.
func FuzzRecords(f *testing.F) {
	d := newDriver(f)
	_, id := d.asked()
	d.decide(id, chat.DecideOnce)
	var lines []string
	for _, w := range d.journal {
		b, err := json.Marshal(w.Record)
		if err != nil {
			f.Fatal(err)
		}
		lines = append(lines, string(b))
	}
	f.Add(strings.Join(lines, "\n"))
	f.Add(`{"type":"message","body":{"messageId":"a","runId":"r","parentId":"a"}}`)
	f.Add(`{"type":"message","body":{}}`)
	f.Add(`{"type":"run_started","body":{"runId":"r"}}` + "\n" + `{"type":"session_updated","body":{"head":"x"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		s := session.New("s", 1, chat.Session{})
		seq := uint64(0)
		for line := range strings.Lines(text) {
			var r record.Record
			if json.Unmarshal([]byte(line), &r) != nil {
				continue
			}
			seq++
			if s.Apply(seq, chat.At(epoch1), r) != nil {
				return
			}
		}
		s.Events(chat.Cursor{}, chat.At(epoch1))
		s.History(true)
		s.History(false)
		s.Summaries(has)
		s.AuditLog(0)
		s.Due()
		if run, ok := s.Runs().Current(); ok {
			turn := s.Turn(run.ID, has)
			turn.Compaction("sum", 1000, session.Memory{Has: has})
			turn.Tell("f", "day", nil)
			turn.Messages(session.Memory{Has: func(string) bool { return false }})
		}
		s.Next(session.Carrier{Owner: here}, epoch1)
		if _, err := s.Return(session.Results{Outputs: []session.Output{{CallID: session.ClientCallID("s", 1, "r", "c")}}}, epoch1); err != nil {
			return
		}
		s.Cancel("", false)
		if _, err := s.Submit(session.Message{RunID: "r9", MessageID: "m9", Content: "x"}, here, epoch1); err != nil {
			return
		}
	})
}
