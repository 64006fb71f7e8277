package sessionlist

import (
	"fmt"
	"testing"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// A user with very many sessions does not fill the memory: beyond a bound the count
// begins anew, and a reader of the old one is told so.
func TestAFeedHasABound(t *testing.T) {
	f := newFeed()
	f.Note("first")
	before := f.since(chat.ListCursor{}).at
	if c := f.since(before); !c.exact || len(c.sessions) != 0 {
		t.Fatalf("where nothing has changed: %+v", c)
	}
	for i := range 2 * maxNoted {
		f.Note(fmt.Sprint("s", i))
		f.NoteApproval(fmt.Sprint("a", i), "first")
		if n := len(f.sessions) + len(f.approvals); n > maxNoted+1 {
			t.Fatalf("it holds %d after %d sessions", n, i+1)
		}
	}
	if c := f.since(before); c.exact {
		t.Error("a cursor of the old count is taken for one of the new")
	}
}
