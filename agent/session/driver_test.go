package session_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// driver is a session with its journal, as one process has it: it decides, writes
// and applies, and after each step holds the state to its invariants.
type driver struct {
	t       testing.TB
	state   *session.State
	journal []written
	now     time.Time
	ids     int
}

// written is a record as a store would give it back.
type written struct {
	At     chat.Time
	Record record.Record
}

var (
	epoch1 = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	here   = session.Owner{Instance: "a", Process: "a1"}
	there  = session.Owner{Instance: "b", Process: "b1"}
)

func newDriver(t testing.TB) *driver {
	return &driver{t: t, state: session.New("s", 1, chat.Session{}), now: epoch1}
}

// id returns a new id of a kind.
func (d *driver) id(kind string) string {
	d.ids++
	return fmt.Sprintf("%s_%d", kind, d.ids)
}

// commit writes records and applies them.
func (d *driver) commit(records []record.Record) {
	d.t.Helper()
	for _, r := range records {
		line, err := json.Marshal(r)
		if err != nil {
			d.t.Fatal(err)
		}
		var back record.Record // what a restart will read
		if err := json.Unmarshal(line, &back); err != nil {
			d.t.Fatal(err)
		}
		w := written{chat.At(d.now), back}
		d.journal = append(d.journal, w)
		if err := d.state.Apply(uint64(len(d.journal)), w.At, w.Record); err != nil {
			d.t.Fatalf("record %d, %s %s: %v", len(d.journal), r.Type, r.Body, err)
		}
	}
	d.check()
}

func (d *driver) check() {
	d.t.Helper()
	if err := d.state.Check(); err != nil {
		d.t.Fatalf("after %d records: %v", len(d.journal), err)
	}
}

// restarted returns the state that a new process reads from the journal.
func (d *driver) restarted() *session.State {
	d.t.Helper()
	s := session.New("s", 1, chat.Session{})
	for i, w := range d.journal {
		if err := s.Apply(uint64(i)+1, w.At, w.Record); err != nil {
			d.t.Fatalf("a restart: record %d: %v", i+1, err)
		}
	}
	return s
}

// message submits a message from the end of the shown branch.
func (d *driver) message(text string) session.Submitted {
	d.t.Helper()
	sub, err := d.state.Submit(session.Message{RunID: d.id("run"), MessageID: d.id("msg"), Content: text, Interactive: true}, here, d.now)
	if err != nil {
		d.t.Fatal(err)
	}
	d.commit(sub.Records)
	return sub
}

// events returns all events from a cursor on.
func (d *driver) events(after string) []chat.Event {
	d.t.Helper()
	cur, err := chat.ParseCursor("s", after)
	if err != nil {
		d.t.Fatal(err)
	}
	events, _ := d.state.Events(cur, chat.At(d.now))
	return events
}
