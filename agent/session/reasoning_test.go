package session_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// thoughts joins the reasoning of events, by its messages.
func thoughts(events []chat.Event) map[string]string {
	of := map[string]string{}
	for _, e := range events {
		if e.Type == chat.TypeReasoningChunk {
			of[e.MessageID] = of[e.MessageID][:e.Offset] + *e.Content
		}
	}
	return of
}

// Reasoning is shown while it comes, and the same in a replay, with the message that
// it is of and never in its content.
func TestReasoningIsShownAndReplayed(t *testing.T) {
	for _, long := range []int{3, 60 << 10, 64 << 10, 64<<10 + 1, 200 << 10} {
		for _, calls := range []bool{false, true} {
			d := newDriver(t)
			sub := d.message("hello")
			d.commit(d.state.Next(session.Carrier{Owner: here}, d.now).Records)
			reasoning := strings.Repeat("因", long/3) + strings.Repeat("x", long%3)
			cur := chat.Cursor{}
			var live []chat.Event
			look := func() {
				events, next := d.state.Events(cur, chat.At(d.now))
				live, cur = append(live, events...), next
			}
			id := d.id("msg")
			for piece := range strings.SplitSeq(reasoning, "") {
				if d.state.Think(sub.Run.RunID, piece, id); len(live) == 0 {
					look()
				}
			}
			look()
			step := answer(1, "So be it.")
			if calls {
				step = answer(1, "", loop.Call{ID: "c", Name: "t", Arguments: []byte(`{}`)})
			} else {
				d.state.Say(sub.Run.RunID, "So be it.", "")
			}
			look()
			step.Answer.Reasoning = reasoning
			made, err := d.state.Record(session.Progress{RunID: sub.Run.RunID, Owner: here, Steps: []loop.Step{step}, Room: 1 << 20, Now: d.now, NewID: d.id})
			if err != nil {
				t.Fatal(err)
			}
			d.commit(made.Records)
			look()
			replayed, _ := d.restarted().Events(chat.Cursor{}, chat.At(d.now))
			shown := thoughts(live)[id]
			if again := thoughts(replayed)[id]; shown != again || len(thoughts(live)) != 1 {
				t.Errorf("%d bytes: %d were shown live, and %d in a replay", long, len(shown), len(again))
			}
			whole := shown == reasoning
			if whole != (long <= 64<<10) || len(shown) > 64<<10 || !utf8.ValidString(shown) || !whole && !strings.HasSuffix(shown, "not shown.]") {
				t.Errorf("%d bytes: %d are shown, and end with %q", long, len(shown), shown[max(0, len(shown)-30):])
			}
			for _, m := range d.state.History(false).Messages {
				if strings.Contains(m.Content, "因") || m.Reasoning != "" {
					t.Errorf("the history has the reasoning without being asked for it: %.40s", m.Content)
				}
			}
			h := d.state.History(false).Messages
			if d.state.Reasoning(h); !calls && (len(h) != 2 || h[1].Reasoning != shown || h[1].ID != id) {
				t.Errorf("%d bytes: the history has %d of them", long, len(h[len(h)-1].Reasoning))
			}
		}
	}
}
