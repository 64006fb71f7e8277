package anthropic

import (
	"bytes"
	"fmt"
	"regexp"
	"testing"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/anthropic/anthropictest"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

var cacheMark = regexp.MustCompile(`,"cache_control":\{"type":"ephemeral"\}`)

// bare is a request without its cache marks, which move and are no part of what is
// kept.
func bare(raw []byte) []byte { return cacheMark.ReplaceAll(raw, nil) }

// untilLast is a request up to the beginning of its newest message.
func untilLast(raw []byte) []byte {
	at := bytes.LastIndex(raw, []byte(`{"role":"`))
	return raw[:at]
}

// TestThePrefixStays: over thirty turns, with calls, thinking, failures and cut
// answers between, the bytes of each request up to its newest message of the user
// begin the next one; so the provider finds in its cache what it has read.
func TestThePrefixStays(t *testing.T) {
	s := &anthropictest.Server{Bind: true}
	m := start(t, s, Config{Thinking: "2048"})
	q := loop.Question{System: "Be kind.", Tools: specs}
	var before []byte
	n := 0
	ask := func() asked {
		a := fine(t, m, q)
		for _, r := range s.Requests()[n:] {
			if r.Refused != "" {
				t.Fatalf("request %d was refused: %s", n, r.Refused)
			}
			now := bare(r.Raw)
			if before != nil && !bytes.HasPrefix(now, before) {
				t.Fatalf("request %d does not begin with the one before it:\n%s\n%s", n, before, now)
			}
			before = untilLast(now)
			n++
			checkMarks(t, r)
		}
		return a
	}
	for turn := range 30 {
		said := user(fmt.Sprintf("Question %d <&> 🐉", turn))
		said.Context = fmt.Sprintf("Today is day %d.", turn)
		q.Messages = append(q.Messages, said)
		for k := range turn % 3 {
			args := []string{`{"at": "<owl>",  "z":1, "a":[1.0, 2e3]}`, ``}[k%2]
			s.Script(reply{Blocks: []block{{Thinking: fmt.Sprintf("I think %d, 好 <&>.", turn)}, {Text: "I look. "}, {Call: &anthropictest.Call{ID: fmt.Sprintf("toolu_%d_%d", turn, k), Name: "look", Input: args}}}})
			a := ask()
			q.Messages = append(q.Messages, a.Message(), loop.ResultMessage(a.Calls[0], []string{chat.ToolOK, "error"}[k%2], "an owl"))
		}
		switch turn % 5 {
		case 1:
			s.Script(reply{Status: 529}, reply{Blocks: []block{{Thinking: "again"}, {Redacted: "r"}, {Text: "Fine."}}})
		case 3:
			s.Script(reply{Blocks: []block{{Thinking: "long"}, {Text: "This is cut"}}, Stop: "max_tokens"})
		default:
			s.Script(reply{Blocks: []block{{Thinking: "short"}, {Text: "Fine. "}, {Text: "All."}}})
		}
		a := ask()
		q.Messages = append(q.Messages, a.Message())
	}
	if n < 60 {
		t.Errorf("only %d requests", n)
	}
	thoughts := bytes.Count(before, []byte(`"type":"thinking"`))
	if thoughts < 50 {
		t.Errorf("only %d thinking blocks came back", thoughts)
	}
}

// checkMarks checks that the marks stand where the provider is to keep what it read.
func checkMarks(t *testing.T, r *anthropictest.Request) {
	t.Helper()
	marked := func(b map[string]any) bool { _, has := b["cache_control"]; return has }
	b := r.Body
	if n := bytes.Count(r.Raw, []byte(`"cache_control"`)); n > 4 {
		t.Errorf("%d marks", n)
	}
	if !marked(b.Tools[len(b.Tools)-1]) || !marked(b.System[len(b.System)-1]) {
		t.Error("tools or system text are not marked")
	}
	users := 0
	for i := len(b.Messages) - 1; i >= 0; i-- {
		for k, x := range b.Messages[i].Content {
			want := b.Messages[i].Role == "user" && users < 2 && k == len(b.Messages[i].Content)-1
			if marked(x) != want {
				t.Errorf("message %d, block %d: marked %v", i, k, marked(x))
			}
		}
		if b.Messages[i].Role == "user" {
			users++
		}
	}
}

// TestThinkingComesBackWhereItBelongs: byte for byte to the model that gave it, as
// long as all that stood before it is the same; else not at all.
func TestThinkingComesBackWhereItBelongs(t *testing.T) {
	s := &anthropictest.Server{Bind: true}
	thought := block{Thinking: "Hm <&> \u2028 \" \\ 好 🐉 \x7f"}
	s.Script(reply{Blocks: []block{thought, {Redacted: "secret <&>"}, {Text: "Hello."}}})
	m := start(t, s, Config{})
	q := ofOne("hi")
	a := fine(t, m, q)
	q.Messages = append(q.Messages, a.Message(), user("more"))
	back := func(m *Model, q loop.Question) string {
		t.Helper()
		fine(t, m, q)
		kinds := ""
		for _, msg := range s.Last().Body.Messages {
			for _, b := range msg.Content {
				kinds += b["type"].(string) + " "
			}
		}
		return kinds
	}
	const with, without = "text thinking redacted_thinking text text ", "text text text "
	if got := back(m, q); got != with {
		t.Errorf("to its model: %s", got)
	}
	for name, change := range map[string]func(q *loop.Question){
		"another system text": func(q *loop.Question) { q.System += "!" },
		"another tool":        func(q *loop.Question) { q.Tools = q.Tools[:1] },
		"forgotten before":    func(q *loop.Question) { q.Messages[0].Text = "[forgotten]" },
		"forgotten itself":    func(q *loop.Question) { q.Messages[1].Text = "[forgotten]" },
		"another model's":     func(q *loop.Question) { q.Messages[1].Model = "anthropic/claude-opus-5" },
		"the start left out":  func(q *loop.Question) { q.Messages = q.Messages[1:] },
	} {
		other := q
		other.Messages = append([]loop.Message{}, q.Messages...)
		change(&other)
		want := without
		if got := back(m, other); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := back(start(t, s, Config{Model: "claude-opus-4-1"}), q); got != without {
		t.Errorf("to another model: %s", got)
	}
	later := q
	later.Messages = append(append([]loop.Message{}, q.Messages...), answered("x"), user("y"))
	if got := back(m, later); got != "text thinking redacted_thinking text text text text " {
		t.Errorf("later: %s", got)
	}
}

// TestRefusedThinking: where the provider refuses what it is shown again, the answer
// comes without, and the next requests do not try once more.
func TestRefusedThinking(t *testing.T) {
	s := &anthropictest.Server{Bind: true}
	s.Script(reply{Blocks: []block{{Thinking: "hm"}, {Text: "Hello."}}})
	m := start(t, s, Config{})
	q := ofOne("hi")
	first := fine(t, m, q)
	q.Messages = append(q.Messages, first.Message(), user("more"))
	for _, words := range []string{
		"messages.1.content.0: Invalid `signature` in `thinking` block",
		"messages.1.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified.",
	} {
		s.Script(reply{Status: 400, Message: words}, reply{Blocks: []block{{Text: "Fine."}}})
		n := len(s.Requests())
		a := fine(t, m, q)
		if a.Text != "Fine." || len(s.Requests()) != n+2 || bytes.Contains(s.Last().Raw, []byte(`"thinking"`)) {
			t.Errorf("%s: %q after %d requests: %s", words, a.Text, len(s.Requests())-n, s.Last().Raw)
		}
		next := q
		next.Messages = append(append([]loop.Message{}, q.Messages...), a.Message(), user("and?"))
		n = len(s.Requests())
		fine(t, m, next)
		if len(s.Requests()) != n+1 || bytes.Contains(s.Last().Raw, []byte(`"thinking"`)) {
			t.Errorf("%s: it was tried once more", words)
		}
	}
}
