package e2e

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/model/anthropic/anthropictest"
	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// act is what the played Anthropic does when somebody says its name, in one request
// after the other, and what is to be made of it: by Anthropic's own client, and by
// whoever asks our agent.
type act struct {
	replies []anthropictest.Reply
	turns   []turn // of the client
	refused string // the type of the error that the client tells

	answer, finish string // of ours
	code           string // of the error that ours tells
	status         int
}

// turn is one message of the client's.
type turn struct {
	Kinds                    []string
	Text, Thinking, Redacted string
	Signed                   int
	Calls                    []toolUse
	Stop, Category           string
	Usage                    map[string]int
}

type toolUse struct {
	ID, Name string
	Input    map[string]any
}

// clientHeard is what the client made of one act.
type clientHeard struct {
	Text  string
	Turns []struct {
		turn
		Saw struct {
			Text, Thinking     string
			Inputs             map[string]map[string]any
			Signatures, Pieces int
		}
	}
	Error refusal
}

var plainUsage = map[string]int{"in": 10, "out": 5, "read": 0, "made": 0}

func says(text string) anthropictest.Block { return anthropictest.Block{Text: text} }

// acts are by the words that call for them. Their tools are such as our agent has,
// too; what it is not to run is denied at once.
var acts = map[string]act{
	"act text.": {
		replies: []anthropictest.Reply{{Blocks: []anthropictest.Block{says("Two owls, 两只猫头鹰, 🦉🦉.")}, Chunks: 2}},
		turns:   []turn{{Kinds: []string{"text"}, Text: "Two owls, 两只猫头鹰, 🦉🦉.", Stop: "end_turn", Usage: plainUsage}},
		answer:  "Two owls, 两只猫头鹰, 🦉🦉.", finish: "stop",
	},
	"act calls.": {
		replies: []anthropictest.Reply{
			{Blocks: []anthropictest.Block{
				{Thinking: "I need the time and the files."},
				says("I look. "),
				{Call: &anthropictest.Call{ID: "toolu_1", Name: "get_current_time", Input: `{"timezone":"Asia/Shanghai"}`}},
				{Call: &anthropictest.Call{ID: "toolu_2", Name: "list_directory", Input: `{}`}},
			}, Usage: anthropictest.Usage{Input: 7, Created: 20, Read: 30, Output: 9}},
			{Blocks: []anthropictest.Block{says("Both are done.")}},
		},
		turns: []turn{
			{
				Kinds: []string{"thinking", "text", "tool_use", "tool_use"}, Text: "I look. ", Thinking: "I need the time and the files.", Signed: 1, Stop: "tool_use",
				Calls: []toolUse{{"toolu_1", "get_current_time", map[string]any{"timezone": "Asia/Shanghai"}}, {"toolu_2", "list_directory", map[string]any{}}},
				Usage: map[string]int{"in": 7, "out": 9, "read": 30, "made": 20},
			},
			{Kinds: []string{"text"}, Text: "Both are done.", Stop: "end_turn", Usage: plainUsage},
		},
		answer: "Both are done.", finish: "stop",
	},
	"act redacted.": {
		replies: []anthropictest.Reply{{Blocks: []anthropictest.Block{{Redacted: "c2VjcmV0"}, {Thinking: "Now in the open."}, says("Here it is.")}}},
		turns:   []turn{{Kinds: []string{"redacted_thinking", "thinking", "text"}, Text: "Here it is.", Thinking: "Now in the open.", Signed: 1, Redacted: "redacted:c2VjcmV0", Stop: "end_turn", Usage: plainUsage}},
		answer:  "Here it is.", finish: "stop",
	},
	"act pings.": {
		replies: []anthropictest.Reply{{Blocks: []anthropictest.Block{says("between many pings")}, Fault: anthropictest.Flood}},
		turns:   []turn{{Kinds: []string{"text"}, Text: "between many pings", Stop: "end_turn", Usage: plainUsage}},
		answer:  "between many pings", finish: "stop",
	},
	"act lines.": {
		replies: []anthropictest.Reply{{Blocks: []anthropictest.Block{says("lines of another kind")}, Fault: anthropictest.CRLF}},
		turns:   []turn{{Kinds: []string{"text"}, Text: "lines of another kind", Stop: "end_turn", Usage: plainUsage}},
		answer:  "lines of another kind", finish: "stop",
	},
	"act pause.": {
		replies: []anthropictest.Reply{
			{Blocks: []anthropictest.Block{says("First half, "), {Raw: `{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}`}}, Stop: "pause_turn"},
			{Blocks: []anthropictest.Block{says("second half.")}},
		},
		turns: []turn{
			{Kinds: []string{"text", "server_tool_use"}, Text: "First half, ", Stop: "pause_turn", Usage: plainUsage},
			{Kinds: []string{"text"}, Text: "second half.", Stop: "end_turn", Usage: plainUsage},
		},
		answer: "First half, second half.", finish: "stop",
	},
	"act refusal.": {
		replies: []anthropictest.Reply{{
			Blocks: []anthropictest.Block{says("I would rather not.")}, Stop: "refusal",
			Details: `{"type":"refusal","category":"bio","explanation":"not this"}`,
		}},
		turns:  []turn{{Kinds: []string{"text"}, Text: "I would rather not.", Stop: "refusal", Category: "bio", Usage: plainUsage}},
		answer: "I would rather not.", finish: "refusal",
	},
	"act limit.": {
		replies: []anthropictest.Reply{{Blocks: []anthropictest.Block{says("and so on and")}, Stop: "max_tokens"}},
		turns:   []turn{{Kinds: []string{"text"}, Text: "and so on and", Stop: "max_tokens", Usage: plainUsage}},
		answer:  "and so on and", finish: "length",
	},
	"act error.": {
		replies: []anthropictest.Reply{{Blocks: []anthropictest.Block{says("this breaks off in the middle")}, Fault: anthropictest.Error, After: 2}},
		refused: "overloaded_error",
		code:    "provider_busy", status: 503,
	},
	"act busy.": {
		replies: []anthropictest.Reply{{Status: 529, RetryAfter: "7"}},
		refused: "overloaded_error",
		code:    "provider_busy", status: 503,
	},
	"act key.": {
		replies: []anthropictest.Reply{{Status: 401, Message: "invalid x-api-key"}},
		refused: "authentication_error",
		code:    "provider_failed", status: 502,
	},
}

// theatre returns a server that plays Anthropic by what is said to it: the last of
// the user's texts that names an act, and how often the assistant has spoken since.
func theatre(t *testing.T) (*anthropictest.Server, string) {
	t.Helper()
	s := &anthropictest.Server{Bind: true}
	s.Fallback(func(r *anthropictest.Request) anthropictest.Reply {
		since := 0
		for _, m := range slices.Backward(r.Body.Messages) {
			if m.Role == "assistant" {
				since++
				continue
			}
			for _, b := range m.Content {
				text, _ := b["text"].(string)
				for name, a := range acts {
					if strings.HasSuffix(text, name) {
						return a.replies[min(since, len(a.replies)-1)]
					}
				}
			}
		}
		return anthropictest.Reply{Status: 400, Message: "there is no such act"}
	})
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return s, h.URL
}

// TestAnthropicsOwnClient shows that our played Anthropic speaks as the real one
// does: its client reads what we send, and what it sends back is taken.
func TestAnthropicsOwnClient(t *testing.T) {
	t.Parallel()
	needs(t, "openai")
	played, base := theatre(t)
	names := []string{"act text."}
	for name := range acts {
		if name != names[0] {
			names = append(names, name)
		}
	}
	cmd := exec.CommandContext(limited(t), "node", "openai/anthropic.mjs") // #nosec G204 -- a script of this folder
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()} // no key of whoever runs this
	var all []clientHeard
	if err := testenv.RunJSON(cmd, map[string]any{"base": base, "says": names}, &all); err != nil {
		t.Fatal(err)
	}
	for _, r := range played.Requests() {
		if r.Refused != "" {
			t.Errorf("what Anthropic's client sent was refused: %s\n%s", r.Refused, r.Raw)
		}
	}
	if len(all) != len(acts)+1 {
		t.Fatalf("the client tells of %d acts, want %d", len(all), len(acts)+1)
	}
	for _, got := range all[:len(acts)] {
		t.Run(got.Text, func(t *testing.T) { readAsMeant(t, got, acts[got.Text]) })
	}
	if diff := cmp.Diff(acts[names[0]].turns[0], all[len(acts)].Turns[0].turn, emptyIsNil); diff != "" {
		t.Errorf("an answer in one piece (-want +got):\n%s", diff)
	}
}

var emptyIsNil = cmp.FilterValues(func(a, b any) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	return x.IsValid() && y.IsValid() && x.Kind() == reflect.Slice && y.Kind() == reflect.Slice && x.Len()+y.Len() == 0
}, cmp.Ignore())

// readAsMeant compares what the client told at the end, and on the way there, with
// what was played.
func readAsMeant(t *testing.T, got clientHeard, want act) {
	t.Helper()
	if want.refused != "" {
		if !got.Error.Refused || got.Error.Code != want.refused || len(got.Turns) > 0 {
			t.Errorf("got %+v, want an error of the type %s", got, want.refused)
		}
		return
	}
	if got.Error.Refused {
		t.Fatalf("the client refuses it: %+v", got.Error)
	}
	if len(got.Turns) != len(want.turns) {
		t.Fatalf("got %d messages, want %d", len(got.Turns), len(want.turns))
	}
	for i, g := range got.Turns {
		if diff := cmp.Diff(want.turns[i], g.turn, emptyIsNil); diff != "" {
			t.Errorf("message %d (-want +got):\n%s", i, diff)
		}
		if g.Saw.Text != g.Text || g.Saw.Thinking != g.Thinking || g.Saw.Signatures != g.Signed || len(g.Saw.Inputs) != len(g.Calls) {
			t.Errorf("message %d: its events told %+v, and it is %+v", i, g.Saw, g.turn)
		}
		if g.Saw.Pieces < 2 && len(g.Text) > 7 {
			t.Errorf("message %d: the text came in %d pieces", i, g.Saw.Pieces)
		}
	}
}

// TestAnthropicBehindBothPrograms has the same acts played to our agent, which must
// make of them what Anthropic's client does.
func TestAnthropicBehindBothPrograms(t *testing.T) {
	t.Parallel()
	played, base := theatre(t)
	w := own(t, func(o *testenv.Options) {
		o.Model = ""
		o.AgentEnv["LLM_PROVIDER"], o.AgentEnv["ANTHROPIC_BASE_URL"], o.AgentEnv["ANTHROPIC_API_KEY"] = "anthropic", base, "sk-ant-none"
	})
	for name, want := range acts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := w.user(t)
			if want.code != "" {
				refused(t, c, want.status, want.code, http.MethodPost, "/api/chat", map[string]any{"message": name, "sessionId": "a"})
				return
			}
			r := start(t, c, "a", name)
			l, end := await(t, c, "a", r.RunID)
			if end.Status != "done" {
				t.Fatalf("got %v, want done", end)
			}
			as := l.Answers[r.RunID]
			if last := as[len(as)-1]; last.Text() != want.answer {
				t.Errorf("got %q, want %q", last.Text(), want.answer)
			}
			h := historyWithFinish(t, c, "a")
			if last := h[len(h)-1]; last.Content != want.answer || last.Finish != want.finish {
				t.Errorf("the history ends with %+v, want %q (%s)", last, want.answer, want.finish)
			}
		})
	}
	t.Cleanup(func() {
		for _, r := range played.Requests() {
			if r.Refused != "" {
				t.Errorf("what our agent sent was refused: %s\n%s", r.Refused, r.Raw)
			}
		}
	})
}

type historyRow struct{ Role, Content, Finish string }

func historyWithFinish(t *testing.T, c *client.Client, session string) []historyRow {
	t.Helper()
	var h struct{ Messages []historyRow }
	if err := do(t, c, http.StatusOK, http.MethodGet, "/api/history/"+session, nil).JSON(&h); err != nil {
		t.Fatal(err)
	}
	return h.Messages
}
