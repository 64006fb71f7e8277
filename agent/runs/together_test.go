package runs

import (
	"testing"

	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// TestWhatBecameDurableTogetherIsToldTogether: a reader is woken by the last record of an
// object, and finds all of them.
func TestWhatBecameDurableTogetherIsToldTogether(t *testing.T) {
	s := &open{state: session.New("a", 1, chat.Session{}), changed: make(chan struct{})}
	told := s.changed
	for i, more := range []bool{true, true, false} {
		e := journal.Entry{Record: record.New("of a later version", struct{}{}), Seq: uint64(i) + 1, Object: 1, More: more} //nolint:gosec // a small number
		if err := s.Apply(e); err != nil {
			t.Fatal(err)
		}
		woken := false
		select {
		case <-told:
			woken = true
		default:
		}
		if woken == more {
			t.Errorf("record %d, more to come: %v; the reader is woken: %v", i+1, more, woken)
		}
	}
}
