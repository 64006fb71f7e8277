package loop_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// exchange is one turn of a conversation.
func exchange(n, size int) []loop.Message {
	return []loop.Message{
		{Role: chat.RoleUser, Text: fmt.Sprintf("%d %s", n, strings.Repeat("q", size))},
		{Role: chat.RoleAssistant, Calls: []loop.Call{{ID: "c", Name: "t", Arguments: []byte(`{}`)}}},
		{Role: loop.RoleTool, CallID: "c", Name: "t", Text: strings.Repeat("r", size)},
		{Role: chat.RoleAssistant, Text: "a"},
	}
}

func TestFitKeepsTheBeginningStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		room := rapid.IntRange(100, 2000).Draw(t, "room")
		var all, before []loop.Message
		cuts := 0
		for n := range rapid.IntRange(1, 80).Draw(t, "turns") {
			all = append(all, exchange(n, rapid.IntRange(0, room/3).Draw(t, "size"))...)
			got := loop.Fit(all, room)
			if got[0].Role != chat.RoleUser || got[len(got)-1].Text != "a" {
				t.Fatalf("from %+v to %+v", got[0], got[len(got)-1])
			}
			if size := loop.Size(got); size > room && len(got) > 4 {
				t.Fatalf("%d bytes in a room of %d", size, room)
			}
			if before != nil && got[0].Text != before[0].Text {
				cuts++
				if size := loop.Size(got); size > room/2 && len(got) > 4 {
					t.Fatalf("cut to %d bytes only, in a room of %d", size, room)
				}
			}
			before = got
		}
		// Half a room has to be filled between two cuts, by turns of at most two
		// thirds of it.
		if turns := len(all) / 4; cuts > 0 && cuts >= turns {
			t.Fatalf("%d cuts in %d turns", cuts, turns)
		}
	})
}

// narrow is a model with a small window.
type narrow struct {
	window int
	asked  []int
}

func (m *narrow) Answer(_ context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
	size := loop.Size(q.Messages)
	m.asked = append(m.asked, len(q.Messages))
	if size > m.window {
		return loop.Answer{}, fault.Wrap(loop.ErrTooLong, fault.CodeProviderFailed, "too long", "")
	}
	onText("yes")
	return loop.Answer{Text: "yes", Finish: chat.FinishStop}, nil
}

// none is a turn's surroundings without tools and without a store.
type none struct{ loop.Toolbox }

func (none) Source(loop.Call) string { return "" }

func (none) Specs() []loop.Spec                         { return nil }
func (none) Record(context.Context, ...loop.Step) error { return nil }
func (none) Think(string)                               {}
func (none) Show(string)                                {}

func TestATooLongConversationIsAskedShorter(t *testing.T) {
	var all []loop.Message
	for n := range 20 {
		all = append(all, exchange(n, 100)...)
	}
	all = append(all, loop.Message{Role: chat.RoleUser, Text: "and now?"})
	m := &narrow{window: 900}
	out, err := loop.Turn{Model: m, Tools: none{}, Recorder: none{}}.Run(t.Context(), loop.State{Messages: all})
	if err != nil || out.Room == 0 || out.Room > 2*m.window {
		t.Errorf("room %d, %v; asked with %v messages", out.Room, err, m.asked)
	}
	if last := m.asked[len(m.asked)-1]; last < 5 {
		t.Errorf("only %d messages are left of the conversation", last)
	}

	m = &narrow{window: 5}
	_, err = loop.Turn{Model: m, Tools: none{}, Recorder: none{}}.Run(t.Context(), loop.State{Messages: all})
	if !errors.Is(err, loop.ErrTooLong) || len(m.asked) > 10 {
		t.Errorf("%v after %d questions, want the refusal", err, len(m.asked))
	}
}
