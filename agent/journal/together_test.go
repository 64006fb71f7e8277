package journal_test

import (
	"slices"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/journal"
)

// together notes which of the records that it is told have others of their object
// behind them.
type together struct{ more []bool }

func (s *together) Apply(e journal.Entry) error {
	s.more = append(s.more, e.More)
	return nil
}

// TestRecordsOfAnObjectSayThatMoreFollow: of what its writer takes in, and of what
// another one does.
func TestRecordsOfAnObjectSayThatMoreFollow(t *testing.T) {
	b := newMemory()
	var here, there together
	one, err := journal.Open(t.Context(), b, "u/a/log/", &here, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	other, err := journal.Open(t.Context(), b, "u/a/log/", &there, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 3} {
		if err := one.Append(t.Context(), slices.Repeat([]journal.Record{{Type: "x", Body: []byte("1")}}, n)...); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []bool{false, true, true, false}
	if !slices.Equal(here.more, want) || !slices.Equal(there.more, want) {
		t.Errorf("the writer was told %v, the other one %v; want %v", here.more, there.more, want)
	}
}
