package client

import (
	"fmt"
	"strings"
)

// Ledger takes the events of one session, received over any number of
// connections, and says when the protocol's promises are broken: chunks join to
// the content of their message_complete, pieces of reasoning to each other, each run
// finishes once, nothing comes twice. What was lost shows when its Steps are held
// against a full replay.
type Ledger struct {
	Cursor string   // of the last event: where to go on
	Steps  []string // every event but chunks of text and reasoning, in the order it came
	Chunks int      // of text

	Finished map[string]Event   // run_finished, by run
	Answers  map[string][]Event // message_complete, by run

	open map[string]*partial // by message
	seen map[string]bool
}

type partial struct {
	run       string
	text      strings.Builder
	reasoning int // bytes
}

// NewLedger makes an empty one.
func NewLedger() *Ledger {
	l := &Ledger{}
	l.reset()
	return l
}

func (l *Ledger) reset() {
	*l = Ledger{
		Finished: map[string]Event{}, Answers: map[string][]Event{},
		open: map[string]*partial{}, seen: map[string]bool{},
	}
}

// Open is the text that has come of an answer so far.
func (l *Ledger) Open(message string) string {
	if p := l.open[message]; p != nil {
		return p.text.String()
	}
	return ""
}

// Take takes the next event.
func (l *Ledger) Take(e Event) error {
	if e.Type == "history_cleared" {
		l.reset()
		return nil
	}
	if unnumbered[e.Type] {
		return nil
	}
	l.Cursor = e.Cursor
	if strings.ContainsRune(e.Text(), '\uFFFD') {
		return fmt.Errorf("half a character: %s", e.Raw)
	}
	switch e.Type {
	case "message_chunk":
		return l.chunk(e)
	case "reasoning_chunk":
		return l.reasoning(e)
	}
	key := StepKey(e)
	if l.seen[key] {
		return fmt.Errorf("came twice: %s", e.Raw)
	}
	l.seen[key] = true
	l.Steps = append(l.Steps, key)
	switch e.Type {
	case "run_started":
		l.drop(e.RunID)
	case "message_complete":
		return l.complete(e)
	case "run_finished":
		if old, ok := l.Finished[e.RunID]; ok {
			return fmt.Errorf("finished twice: %s and %s", old.Raw, e.Raw)
		}
		l.Finished[e.RunID] = e
		l.drop(e.RunID)
	}
	return nil
}

func (l *Ledger) chunk(e Event) error {
	p, err := l.partial(e)
	if err != nil {
		return err
	}
	p.text.WriteString(e.Text())
	l.Chunks++
	return nil
}

// reasoning takes a piece that goes on where the one before it ended, or begins anew.
func (l *Ledger) reasoning(e Event) error {
	p, err := l.partial(e)
	if err != nil {
		return err
	}
	if e.Offset == 0 {
		p.reasoning = 0
	}
	if e.Offset != p.reasoning {
		return fmt.Errorf("reasoning goes on at byte %d where %d came: %s", e.Offset, p.reasoning, e.Raw)
	}
	p.reasoning += len(e.Text())
	return nil
}

// partial returns the open answer that a chunk belongs to.
func (l *Ledger) partial(e Event) (*partial, error) {
	if e.MessageID == "" || e.RunID == "" {
		return nil, fmt.Errorf("a chunk without messageId or runId: %s", e.Raw)
	}
	if _, ok := l.Finished[e.RunID]; ok {
		return nil, fmt.Errorf("a chunk after its run finished: %s", e.Raw)
	}
	p := l.open[e.MessageID]
	if p == nil {
		p = &partial{run: e.RunID}
		l.open[e.MessageID] = p
	}
	return p, nil
}

func (l *Ledger) complete(e Event) error {
	if got, want := l.Open(e.MessageID), e.Text(); got != want {
		return fmt.Errorf("the chunks join to %q, message_complete says %q (message %s)", got, want, e.MessageID)
	}
	delete(l.open, e.MessageID)
	l.Answers[e.RunID] = append(l.Answers[e.RunID], e)
	return nil
}

// drop forgets the open text of a run, as a client does when the run finished
// or was started again.
func (l *Ledger) drop(run string) {
	for id, p := range l.open {
		if p.run == run {
			delete(l.open, id)
		}
	}
}

// repeated are the types that may rightly come more than once in a run, and have no
// id of their own.
var repeated = map[string]bool{"session_updated": true, "todo": true, "client_calls": true}

// StepKey names an event so that the same one, replayed, has the same name.
func StepKey(e Event) string {
	key := []string{e.Type, e.RunID, e.MessageID, e.CallID, e.ApprovalID}
	if e.Restarted || repeated[e.Type] {
		key = append(key, e.Timestamp, e.Cursor)
	}
	return strings.Join(key, " ")
}
