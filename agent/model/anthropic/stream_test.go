package anthropic

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/anthropic/anthropictest"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

type reply = anthropictest.Reply

type block = anthropictest.Block

// all is an answer with a block of each kind.
var all = []block{
	{Thinking: "First I look, 好的 🐉."},
	{Redacted: "xyz"},
	{Text: "I look. 看 🐉 "},
	{Call: &anthropictest.Call{ID: "toolu_1", Name: "look", Input: `{"at": "the <owl> 🦉"}`}},
	{Call: &anthropictest.Call{ID: "toolu_2", Name: "wait"}},
}

// TestTheSameAnswerInEveryForm: whatever form a stream has, the answer is the same.
func TestTheSameAnswerInEveryForm(t *testing.T) {
	use := anthropictest.Usage{Input: 7, Created: 100, Read: 1000, Output: 50, Thinking: 20}
	want := loop.Answer{
		Text: "I look. 看 🐉 ", Reasoning: "First I look, 好的 🐉.", Finish: chat.FinishToolCalls, Model: "anthropic/claude-sonnet-4-5",
		Calls: []loop.Call{call("toolu_1", "look", `{"at": "the <owl> 🦉"}`), call("toolu_2", "wait", `{}`)},
		Usage: &chat.Usage{PromptTokens: 1107, CompletionTokens: 50, TotalTokens: 1157, CachedTokens: 1000, ReasoningTokens: 20},
	}
	wholeCalls := append([]block{}, all...)
	for i := range wholeCalls {
		wholeCalls[i].WholeCall = true
	}
	for name, r := range map[string]reply{
		"as it comes":           {},
		"byte by byte":          {Chunks: 1},
		"in one piece":          {Chunks: 1 << 20},
		"CR and LF":             {Fault: anthropictest.CRLF},
		"CR alone":              {Fault: anthropictest.CR},
		"byte order mark":       {Fault: anthropictest.BOM},
		"no names":              {Fault: anthropictest.NoNames},
		"two beginnings":        {Fault: anthropictest.Twice},
		"unknown events":        {Fault: anthropictest.Unknown},
		"an empty error always": {Fault: anthropictest.EmptyError},
		"floods of pings":       {Fault: anthropictest.Flood, Chunks: 30},
		"no message_stop":       {Fault: anthropictest.NoStop},
		"no stop reason":        {Stop: "none"},
		"no stream":             {Whole: true},
		"no stream, but named":  {Whole: true, Type: "text/event-stream"},
		"named JSON":            {Type: "application/json"},
		"input at the start":    {Blocks: wholeCalls},
	} {
		t.Run(name, func(t *testing.T) {
			if r.Blocks == nil {
				r.Blocks = all
			}
			r.Usage = use
			s := &anthropictest.Server{}
			s.Script(r)
			got := fine(t, start(t, s, Config{}), ofOne("hi")).Answer
			if len(got.Native) == 0 {
				t.Error("the thinking is not kept")
			}
			got.Native = nil
			for i := range got.Calls {
				var same any
				if json.Unmarshal(got.Calls[i].Arguments, &same) != nil {
					t.Fatalf("arguments %s", got.Calls[i].Arguments)
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestHowAnAnswerEnds(t *testing.T) {
	text := block{Text: "Some words."}
	cut := block{Call: &anthropictest.Call{ID: "toolu_2", Name: "look", Input: `{"at":"th`}}
	whole := block{Call: &anthropictest.Call{ID: "toolu_1", Name: "look", Input: `{"at":"x"}`}}
	for name, c := range map[string]struct {
		blocks []block
		stop   string
		finish chat.Finish
		calls  []string
	}{
		"end_turn":                     {[]block{text}, "end_turn", chat.FinishStop, nil},
		"stop_sequence":                {[]block{text}, "stop_sequence", chat.FinishStop, nil},
		"a reason that nobody knows":   {[]block{text}, "tired", chat.FinishStop, nil},
		"max_tokens":                   {[]block{text}, "max_tokens", chat.FinishLength, nil},
		"window":                       {[]block{text}, "model_context_window_exceeded", chat.FinishLength, nil},
		"refusal":                      {[]block{text}, "refusal", chat.FinishRefusal, nil},
		"refusal of all":               {nil, "refusal", chat.FinishRefusal, nil},
		"refusal in a call":            {[]block{text, whole}, "refusal", chat.FinishRefusal, nil},
		"tool_use":                     {[]block{text, whole}, "tool_use", chat.FinishToolCalls, []string{`{"at":"x"}`}},
		"calls, called an end":         {[]block{whole}, "end_turn", chat.FinishToolCalls, []string{`{"at":"x"}`}},
		"calls announced, none came":   {[]block{text}, "tool_use", chat.FinishStop, nil},
		"nothing":                      {nil, "end_turn", chat.FinishEmpty, nil},
		"blanks":                       {[]block{{Text: "\n\n"}}, "end_turn", chat.FinishEmpty, nil},
		"only thinking":                {[]block{{Thinking: "hm"}}, "end_turn", chat.FinishEmpty, nil},
		"a call cut off":               {[]block{whole, cut}, "max_tokens", chat.FinishLength, []string{`{"at":"x"}`, `{"at":"th`}},
		"a call cut off at its start":  {[]block{{Call: &anthropictest.Call{ID: "toolu_1", Name: "wait"}}}, "max_tokens", chat.FinishLength, []string{`null`}},
		"an empty call before the cut": {[]block{{Call: &anthropictest.Call{ID: "toolu_1", Name: "wait"}}, text}, "max_tokens", chat.FinishLength, []string{`{}`}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &anthropictest.Server{}
			s.Script(reply{Blocks: c.blocks, Stop: c.stop})
			a := ask(t.Context(), start(t, s, Config{}), ofOne("hi"))
			if a.err != nil {
				t.Fatal(a.err)
			}
			var calls []string
			for _, c := range a.Calls {
				calls = append(calls, string(c.Arguments))
			}
			if d := cmp.Diff(c.calls, calls); d != "" || a.Finish != c.finish {
				t.Errorf("ended by %s, want %s; calls (-want +got):\n%s", a.Finish, c.finish, d)
			}
		})
	}
	s := &anthropictest.Server{}
	s.Script(reply{Stop: "model_context_window_exceeded"})
	if a := ask(t.Context(), start(t, s, Config{}), ofOne("hi")); !errors.Is(a.err, loop.ErrTooLong) {
		t.Errorf("a window that leaves no room for a word: %v, want too long", a.err)
	}
}

// TestTwoTextsAndWhatIsBetween: the text is what was said, and citations and blocks
// of this protocol alone do not disturb it.
func TestTwoTextsAndWhatIsBetween(t *testing.T) {
	s := &anthropictest.Server{}
	s.Script(reply{Blocks: []block{
		{Text: "I search. "},
		{Raw: `{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"q":"owl"}}`},
		{Raw: `{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[]}`},
		{Text: "Owls ", Citation: `{"type":"web_search_result_location","url":"https://x"}`},
		{Text: "fly."},
		{Raw: `{"type":"hologram","data":{"a":[1]}}`},
	}}, reply{})
	m := start(t, s, Config{})
	q := ofOne("hi")
	a := fine(t, m, q)
	if a.Text != "I search. Owls fly." || len(a.Calls) != 0 || a.Finish != chat.FinishStop {
		t.Errorf("%q with %d calls, ended by %s", a.Text, len(a.Calls), a.Finish)
	}
	q.Messages = append(q.Messages, a.Message(), user("more"))
	_ = ask(t.Context(), m, q)
	var kinds []string
	for _, b := range s.Last().Body.Messages[1].Content {
		kinds = append(kinds, b["type"].(string))
	}
	if d := cmp.Diff([]string{"text", "server_tool_use", "web_search_tool_result", "text", "text", "hologram"}, kinds); d != "" {
		t.Errorf("sent back (-want +got):\n%s", d)
	}
}

func TestAPausedAnswerGoesOn(t *testing.T) {
	s := &anthropictest.Server{Bind: true}
	search := block{Raw: `{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}`}
	use := anthropictest.Usage{Input: 10, Output: 5}
	s.Script(
		reply{Blocks: []block{{Thinking: "hm"}, {Text: "One, "}, search}, Stop: "pause_turn", Usage: use},
		reply{Status: 529}, // a failure between the two is no reason to lose the first
		reply{Blocks: []block{{Raw: `{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[]}`}, {Text: "two, "}, search}, Stop: "pause_turn", Usage: use},
		reply{Blocks: []block{{Text: "three."}}, Usage: use},
		reply{Blocks: []block{{Text: "again"}}},
	)
	m := start(t, s, Config{})
	q := ofOne("count")
	a := fine(t, m, q)
	if a.Text != "One, two, three." || a.Finish != chat.FinishStop || a.Usage.CompletionTokens != 15 {
		t.Errorf("%q, ended by %s with %+v", a.Text, a.Finish, a.Usage)
	}
	if n := len(s.Requests()); n != 4 {
		t.Errorf("%d requests, want 4", n)
	}
	last := s.Last().Body.Messages
	if got := last[len(last)-1]; got.Role != "assistant" || len(got.Content) != 6 {
		t.Errorf("continued from %d blocks of %s", len(got.Content), got.Role)
	}
	q.Messages = append(q.Messages, a.Message(), user("again"))
	if b := fine(t, m, q); b.Text != "again" || s.Last().Body.Messages[1].Content[0]["type"] != "thinking" {
		t.Errorf("%q; sent back: %v", b.Text, s.Last().Body.Messages[1].Content)
	}
}

func TestAPauseWithoutEnd(t *testing.T) {
	s := &anthropictest.Server{}
	s.Fallback(func(*anthropictest.Request) anthropictest.Reply {
		return reply{Blocks: []block{{Text: "x"}, {Raw: `{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}`}}, Stop: "pause_turn"}
	})
	a := fine(t, start(t, s, Config{}), ofOne("hi"))
	if n := len(s.Requests()); a.Finish != chat.FinishLength || n != maxPauses+1 {
		t.Errorf("ended by %s after %d requests", a.Finish, n)
	}
	s = &anthropictest.Server{}
	s.Script(reply{Stop: "pause_turn"}) // a pause of nothing
	if a := fine(t, start(t, s, Config{}), ofOne("hi")); len(s.Requests()) != 1 || a.Finish != chat.FinishEmpty {
		t.Errorf("ended by %s after %d requests", a.Finish, len(s.Requests()))
	}
}

func TestFaultsBeforeTheFirstWord(t *testing.T) {
	ok := reply{Blocks: []block{{Text: "fine"}}}
	for name, r := range map[string]reply{
		"overloaded":           {Status: 529, Kind: "overloaded_error", Message: "Overloaded"},
		"overloaded in stream": {Fault: anthropictest.Error, Blocks: ok.Blocks},
		"its own trouble":      {Status: 500, Message: "Internal server error"},
		"busy":                 {Status: 429, RetryAfter: "0.1"},
		"cut":                  {Fault: anthropictest.Cut, Blocks: ok.Blocks},
		"an early end":         {Fault: anthropictest.End, Blocks: ok.Blocks},
		"no JSON":              {Fault: anthropictest.BadJSON, Blocks: ok.Blocks},
		"nothing at all":       {Raw: "\n"},
		"a gateway's page":     {Raw: "<html>502</html>", Status: 502, Type: "text/html"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &anthropictest.Server{}
			s.Script(r, ok)
			if a := fine(t, start(t, s, Config{}), ofOne("hi")); a.Text != "fine" || len(s.Requests()) != 2 {
				t.Errorf("%q after %d requests", a.Text, len(s.Requests()))
			}
		})
	}
}

func TestFaultsInTheMiddle(t *testing.T) {
	blocks := []block{{Text: "one two three four five six"}}
	for name, c := range map[string]struct {
		reply reply
		code  fault.Code
		hint  string
	}{
		"overloaded":      {reply{Fault: anthropictest.Error}, fault.CodeProviderBusy, "overloaded"},
		"its own trouble": {reply{Fault: anthropictest.Error, Kind: "api_error", Message: "Internal server error"}, fault.CodeProviderFailed, "trouble"},
		"cut":             {reply{Fault: anthropictest.Cut}, fault.CodeProviderFailed, "connection"},
		"an early end":    {reply{Fault: anthropictest.End}, fault.CodeProviderFailed, "broke off"},
		"no JSON":         {reply{Fault: anthropictest.BadJSON}, fault.CodeProviderFailed, "broke off"},
		"stall":           {reply{Fault: anthropictest.Stall}, fault.CodeProviderTime, "LLM_TIMEOUT"},
		"only pings":      {reply{Fault: anthropictest.Pings}, fault.CodeProviderTime, "LLM_TIMEOUT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.reply.Blocks, c.reply.After = blocks, 2
			s := &anthropictest.Server{}
			s.Script(c.reply)
			a := ask(t.Context(), start(t, s, Config{Timeout: soon}), ofOne("hi"))
			isFault(t, a.err, c.code, c.hint)
			if a.Text != "one two three " && a.Text != "one two three" && !strings.HasPrefix("one two three four", a.Text) || a.Text == "" || strings.Join(a.shown, "") != a.Text {
				t.Errorf("left %q, shown %q", a.Text, a.shown)
			}
			if n := len(s.Requests()); n != 1 {
				t.Errorf("asked %d times, with words already shown", n)
			}
		})
	}
}

func TestASilentProvider(t *testing.T) {
	s := &anthropictest.Server{}
	s.Fallback(func(*anthropictest.Request) anthropictest.Reply { return reply{Fault: anthropictest.Hang} })
	a := ask(t.Context(), start(t, s, Config{Timeout: 50 * time.Millisecond}), ofOne("hi"))
	isFault(t, a.err, fault.CodeProviderTime, "LLM_TIMEOUT")

	// Complete, but the connection stays open.
	s = &anthropictest.Server{}
	s.Script(reply{Blocks: []block{{Text: "fine"}}, Fault: anthropictest.Linger})
	if a := fine(t, start(t, s, Config{Timeout: soon}), ofOne("hi")); a.Text != "fine" {
		t.Errorf("%q", a.Text)
	}
}

func TestCancelled(t *testing.T) {
	for name, r := range map[string]reply{"silent": {Fault: anthropictest.Hang}, "in the middle": {Blocks: []block{{Text: "a b c d e f g h"}}, Fault: anthropictest.Stall, After: 1}, "waiting": {Status: 429, RetryAfter: "5"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &anthropictest.Server{}
			s.Script(r)
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			a := ask(ctx, start(t, s, Config{}), ofOne("hi"))
			isFault(t, a.err, fault.CodeProviderTime)
			if !errors.Is(a.err, context.DeadlineExceeded) {
				t.Errorf("%v has no context's error in its chain", a.err)
			}
		})
	}
}
