package thread_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/openai"
	"github.com/loongclaw/loongclaw/agent/thread"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

const (
	long   = "The ferry leaves at a quarter past nine from the north pier, and the crossing takes forty minutes when the tide is in."
	longer = long + " Tickets are sold on board; bicycles travel free outside of the summer months, and dogs on a lead are welcome on the lower deck."
)

// branch makes a session of exchanges, one after the other: the ids of its messages
// are u0, a0, u1, a1 and so on.
func branch(all ...openai.Exchange) chat.History {
	h := chat.History{SessionID: "v1-a"}
	parent := ""
	for i, e := range all {
		u, a, run := fmt.Sprint("u", i), fmt.Sprint("a", i), fmt.Sprint("r", i)
		h.Messages = append(h.Messages,
			chat.Message{ID: u, ParentID: parent, RunID: run, Role: chat.RoleUser, Content: e.User},
			chat.Message{ID: a, ParentID: u, RunID: run, Role: chat.RoleAssistant, Content: e.Assistant})
		parent = a
	}
	return h
}

func ex(user, assistant string) openai.Exchange {
	return openai.Exchange{User: user, Assistant: assistant}
}

func TestLocate(t *testing.T) {
	three := []openai.Exchange{ex("one", "eins"), ex("two", longer), ex("three", "drei")}
	for _, tt := range []struct {
		name     string
		session  []openai.Exchange
		said     []openai.Exchange
		greeting string
		want     string // the message; empty where it is another conversation
		whole    bool
	}{
		{"all of it", three, three, "", "a2", true},
		{"its beginning", three, three[:1], "", "a0", true},
		{"a window", three, three[1:], "", "a2", false},
		{"the last exchange", three, three[2:], "", "a2", false},
		{"white space", three, []openai.Exchange{ex(" one\r\n", "eins\n\n"), ex("two", strings.ReplaceAll(longer, " ", "\n"))}, "", "a1", true},
		{"decomposed", []openai.Exchange{ex("caf\u00e9", "oui")}, []openai.Exchange{ex("cafe\u0301", "oui")}, "", "a0", true},
		{"an answer without its end", three, []openai.Exchange{ex("two", longer[:60])}, "", "a1", false},
		{"an answer without its end, and a sign of it", three, []openai.Exchange{ex("two", longer[:60]+"…")}, "", "a1", false},
		{"an answer without its middle", three, []openai.Exchange{ex("two", longer[:40]+"..."+longer[len(longer)-40:])}, "", "a1", false},
		{"an answer without its beginning", three, []openai.Exchange{ex("two", longer[100:])}, "", "a1", false},
		{"an answer with a remark", three, []openai.Exchange{ex("two", longer[:60]+"\n[truncated]")}, "", "a1", false},
		{"a short answer that was cut", three, []openai.Exchange{ex("one", "ein")}, "", "a0", true},
		{"a message that had a passage beside it", []openai.Exchange{ex("<page>"+longer+"</page> when?", long)}, []openai.Exchange{ex("when?", long)}, "", "a0", true},
		{"a window that begins within an exchange", three, three[2:], longer, "a2", false},
		{"only the last answer", three[:2], nil, longer, "a1", false},

		{"another message", three, []openai.Exchange{ex("four", "drei")}, "", "", false},
		{"another answer", three, []openai.Exchange{ex("three", "vier")}, "", "", false},
		{"no answer", three, []openai.Exchange{ex("three", "")}, "", "", false},
		{"an exchange was taken out", three, []openai.Exchange{three[0], three[2]}, "", "", false},
		{"an exchange was changed", three, []openai.Exchange{three[0], ex("two", "zwei"), three[2]}, "", "", false},
		{"a word of an answer was changed", three, []openai.Exchange{ex("two", strings.Replace(longer, "forty minutes", "one hour", 1))}, "", "", false},
		{"a number of an answer was changed", three, []openai.Exchange{ex("two", strings.Replace(longer, "forty", "(50)", 1))}, "", "", false},
		{"something was added to an answer", three, []openai.Exchange{ex("two", longer+" And no cars.")}, "", "", false},
		{"more than there is", three[1:], three, "", "", false},
		{"an answer alone that is short", []openai.Exchange{ex("<page>x</page> ok?", "yes")}, []openai.Exchange{ex("ok?", "yes")}, "", "a0", true}, // the message is there without its beginning
		{"an answer alone that is short, to another message", []openai.Exchange{ex("is it?", "yes")}, []openai.Exchange{ex("was it?", "yes")}, "", "", false},
		{"a greeting of many conversations", []openai.Exchange{ex("hi", "Hello!")}, nil, "Hello!", "", false},
	} {
		got, ok := thread.Locate(branch(tt.session...), openai.Request{Earlier: tt.said, Greeting: tt.greeting})
		if ok != (tt.want != "") || ok && (got.Message != tt.want || got.Whole != tt.whole) {
			t.Errorf("%s: got %+v, %v, want %q", tt.name, got, ok, tt.want)
		}
	}
}

// Several stretches of a run are one answer for these clients.
func TestLocateJoinsTheStretchesOfAnAnswer(t *testing.T) {
	h := chat.History{Messages: []chat.Message{
		{ID: "u", RunID: "r", Role: chat.RoleUser, Content: "look it up"},
		{ID: "a", ParentID: "u", RunID: "r", Role: chat.RoleAssistant, Content: "I look."},
		{ID: "b", ParentID: "a", RunID: "r", Role: chat.RoleAssistant, Content: "It is blue."},
		{ID: "q", RunID: "s", Role: chat.RoleUser, Content: "and then?", Queued: true},
	}}
	got, ok := thread.Locate(h, openai.Request{Earlier: []openai.Exchange{ex("look it up", "I look.\n\nIt is blue.")}})
	if !ok || got.Message != "b" || !got.Exact {
		t.Errorf("got %+v, %v, want the end of the run", got, ok)
	}
}

func TestConsiderAndChoose(t *testing.T) {
	small, big := []openai.Exchange{ex("hi", "Hello!")}, []openai.Exchange{ex("when is it?", longer)}
	choice := func(instructions, now string, session, said []openai.Exchange) (thread.Choice, bool) {
		var x thread.Index
		x.Note("u", "v1-a", said[len(said)-1].User, openai.Request{Instructions: instructions})
		q := openai.Request{Instructions: now, Earlier: said}
		m, ok := thread.Locate(branch(session...), q)
		if !ok {
			t.Fatal("not located")
		}
		return thread.Consider(x.Sessions("u", q)[0], m, q)
	}
	for _, tt := range []struct {
		before, now string
		said        []openai.Exchange
		want        bool
	}{
		{"", "", small, true},
		{"Be kind. It is 12:00:01.", "Be kind. It is 12:00:02.", small, true},
		{"It is Saturday, 28 November 2026, 11:59 PM", "It is Sunday, 29 November 2026, 12:01 AM", small, true},
		{"Tuesday, 31 March", "Wednesday, 1 April", small, true},
		{"现在是2026年11月28日 星期六 23:59", "现在是2026年11月29日 星期日 00:01", small, true},
		{"be brief", "be long", small, false},
		{"You are a pirate captain.", "", small, false},
		{"be brief", "be long", big, true},
		{"be brief", "be long", append(append([]openai.Exchange{}, small...), small...), true},
	} {
		if _, got := choice(tt.before, tt.now, tt.said, tt.said); got != tt.want {
			t.Errorf("%q, then %q, after %d exchanges: got %v, want %v", tt.before, tt.now, len(tt.said), got, tt.want)
		}
	}

	whole, _ := choice("", "", small, small)
	window, _ := choice("", "", append(append([]openai.Exchange{}, big...), small...), small)
	wide, _ := choice("", "", append(append([]openai.Exchange{}, small...), append(big, small...)...), append(append([]openai.Exchange{}, big...), small...))
	for name, tt := range map[string]struct {
		all  []thread.Choice
		want *thread.Choice
	}{
		"none": {nil, nil}, "one": {[]thread.Choice{window}, &window}, "the whole one": {[]thread.Choice{window, whole}, &whole},
		"two that fit as well": {[]thread.Choice{window, window}, nil}, "two, with enough that is the same": {[]thread.Choice{wide, wide}, &wide},
		"two that began alike": {[]thread.Choice{whole, whole}, &whole},
	} {
		got, ok := thread.Choose(tt.all)
		if ok != (tt.want != nil) || ok && got.Match != tt.want.Match {
			t.Errorf("%s: got %+v, %v", name, got, ok)
		}
	}
}

// Whatever a client does in passing (a clock, a window, white space, a cut), its
// conversation is found; and none of another user's, and none where a message was
// changed.
func TestAConversationIsFoundWhateverItsClientDoes(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		var x thread.Index
		var said []openai.Exchange
		for i := range 2 + r.IntN(6) {
			said = append(said, ex(fmt.Sprintf("question %d of %d", i, seed), strings.Repeat(fmt.Sprintf("answer %d of %d. ", i, seed), 1+r.IntN(20))))
		}
		last := said[len(said)-1]
		x.Note("alice", "v1-a", last.User, openai.Request{Instructions: "Be kind. It is 12:00:00."})
		x.Note("alice", "v1-a", last.Assistant, openai.Request{Instructions: "Be kind. It is 12:00:00."})

		sent := append([]openai.Exchange{}, said[r.IntN(len(said)):]...)
		n := len(sent) - 1
		if r.IntN(2) == 0 {
			sent[n].Assistant = sent[n].Assistant[:1+r.IntN(len(sent[n].Assistant))]
		}
		if r.IntN(2) == 0 {
			sent[0].User = "  " + strings.ReplaceAll(sent[0].User, " ", "\n") + "\n"
		}
		q := openai.Request{Earlier: sent, Instructions: fmt.Sprintf("Be kind. It is 12:00:%02d.", r.IntN(60))}
		found := func(user string, q openai.Request) bool {
			for _, s := range x.Sessions(user, q) {
				if m, ok := thread.Locate(branch(said...), q); ok && m.Message == fmt.Sprint("a", len(said)-1) {
					_, ok := thread.Consider(s, m, q)
					return ok
				}
			}
			return false
		}
		if !found("alice", q) {
			t.Fatalf("seed %d: not found: %+v", seed, q)
		}
		if found("bob", q) {
			t.Fatalf("seed %d: found for another user", seed)
		}
		changed := append([]openai.Exchange{}, sent...)
		changed[n].User += " or not"
		changed[n].Assistant = "No. " + changed[n].Assistant
		if q.Earlier = changed; found("alice", q) {
			t.Fatalf("seed %d: found although it was changed: %+v", seed, q)
		}
	}
}

func TestTheIndexIsBounded(t *testing.T) {
	var x thread.Index
	for i := range 9000 {
		x.Note("u", fmt.Sprint("v1-", i), fmt.Sprint("text ", i), openai.Request{})
		x.Note("u", fmt.Sprint("v1-", i), "hello", openai.Request{})
	}
	if x.Knows("u", "text 0") || x.Has("u", "v1-0") || !x.Knows("u", "text 8999") || !x.Has("u", "v1-8999") {
		t.Error("the oldest are kept, or the newest are not")
	}
	if got := x.Sessions("u", openai.Request{Earlier: []openai.Exchange{ex("hello", "hi")}}); len(got) > 8 {
		t.Errorf("%d sessions are proposed for a text", len(got))
	}
	if x.Knows("v", "text 8999") || x.Has("v", "v1-8999") {
		t.Error("another user's text is known")
	}
}

func TestLearn(t *testing.T) {
	var x thread.Index
	said := []openai.Exchange{ex("one", "eins"), ex("two", "zwei")}
	h := branch(said...)
	x.Learn("u", h)
	q := openai.Request{Earlier: said, Instructions: "whatever it was"}
	all := x.Sessions("u", q)
	if len(all) != 1 || all[0].ID != "v1-a" {
		t.Fatalf("got %+v, want the session", all)
	}
	m, ok := thread.Locate(h, q)
	if _, considered := thread.Consider(all[0], m, q); !ok || !considered {
		t.Error("its end is not known")
	}
	if got := x.Sessions("u", openai.Request{Earlier: said[:1]}); len(got) != 0 {
		t.Errorf("got %+v for what stands in its middle", got)
	}
}

// A session begins with the newest part of a very long conversation only.
func TestLocateAVeryLongConversation(t *testing.T) {
	var said []openai.Exchange
	for i := range 12_000 {
		said = append(said, ex(fmt.Sprint("q", i), fmt.Sprint("a", i)))
	}
	h := branch(said[2000:]...)
	if m, ok := thread.Locate(h, openai.Request{Earlier: said}); !ok || m.Message != "a9999" {
		t.Errorf("got %+v, %v, want its end", m, ok)
	}
	if _, ok := thread.Locate(branch(said[2001:]...), openai.Request{Earlier: said}); ok {
		t.Error("found, with less in the session than is kept")
	}
}

// Where every place looks like the end, the time is bounded.
func TestLocateAmongTheSame(t *testing.T) {
	said := slices.Repeat([]openai.Exchange{ex("go on", "ok")}, 10_000)
	began := time.Now()
	if m, ok := thread.Locate(branch(said...), openai.Request{Earlier: said}); !ok || m.Message != "a9999" || !m.Whole {
		t.Errorf("got %+v, %v, want the end", m, ok)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}
