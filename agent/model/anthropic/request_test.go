package anthropic

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/anthropic/anthropictest"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func TestEndpoints(t *testing.T) {
	for base, want := range map[string]string{
		"":                                "https://api.anthropic.com/v1/messages",
		"https://api.anthropic.com":       "https://api.anthropic.com/v1/messages",
		" https://api.anthropic.com/v1/ ": "https://api.anthropic.com/v1/messages",
		"https://h/v1/messages/":          "https://h/v1/messages",
		"https://h/v1/chat/completions":   "https://h/v1/messages",
		"https://h/claude?key=a#x":        "https://h/claude/v1/messages?key=a",
		"http://h:1/anthropic/messages":   "http://h:1/anthropic/messages",
	} {
		m, err := New(Config{URL: base})
		if err != nil || m.url.String() != want {
			t.Errorf("%q leads to %v, %v; want %s", base, m.url, err, want)
		}
	}
	for _, base := range []string{"h/v1", "ftp://u:canary@h", "http://", "://"} {
		_, err := New(Config{URL: base})
		isFault(t, err, fault.CodeInvalidRequest, "ANTHROPIC_BASE_URL")
	}
	_, err := New(Config{Thinking: "1023"})
	isFault(t, err, fault.CodeInvalidRequest, "ANTHROPIC_THINKING")
}

// TestWhatARequestSays: the limit that the protocol demands, thinking and
// temperature as the model takes them.
func TestWhatARequestSays(t *testing.T) {
	warm := 1.7
	for name, c := range map[string]struct {
		config             Config
		tokens             int
		temperature        bool
		thinking           anthropictest.Thinking
		refusesTemperature bool
	}{
		"the model's own":             {config: Config{}, tokens: 64000},
		"an old model's own":          {config: Config{Model: "claude-3-haiku-20240307"}, tokens: 4096},
		"nobody's":                    {config: Config{Model: "kimi-k2"}, tokens: 8192},
		"the owner's":                 {config: Config{MaxTokens: 100}, tokens: 100},
		"a temperature":               {config: Config{Temperature: &warm}, tokens: 64000, temperature: true},
		"a model that takes none":     {config: Config{Temperature: &warm, Model: "claude-opus-4-7"}, tokens: 128000, refusesTemperature: true},
		"thinking takes none":         {config: Config{Temperature: &warm, Thinking: "adaptive"}, tokens: 64000, thinking: anthropictest.Thinking{Type: "adaptive", Display: "summarized"}},
		"disabled thinking takes one": {config: Config{Temperature: &warm, Thinking: "disabled"}, tokens: 64000, temperature: true, thinking: anthropictest.Thinking{Type: "disabled"}},
		"a budget":                    {config: Config{Thinking: "2048"}, tokens: 64000, thinking: anthropictest.Thinking{Type: "enabled", Budget: 2048}},
		"a newer model":               {config: Config{Temperature: &warm, Model: "claude-sonnet-5-5"}, tokens: 128000, refusesTemperature: true},
		"a newer model's budget":      {config: Config{Thinking: "2048", Model: "claude-sonnet-5-5"}, tokens: 128000, thinking: anthropictest.Thinking{Type: "adaptive", Display: "summarized"}},
		"a budget above the limit":    {config: Config{Thinking: "2048", MaxTokens: 100}, tokens: 4096, thinking: anthropictest.Thinking{Type: "enabled", Budget: 2048}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &anthropictest.Server{NoSampling: c.refusesTemperature}
			fine(t, start(t, s, c.config), ofOne("hi"))
			b := s.Last().Body
			if b.MaxTokens != c.tokens || (b.Temperature != nil) != c.temperature || !b.Stream {
				t.Errorf("%d tokens, temperature %v, stream %v", b.MaxTokens, b.Temperature, b.Stream)
			}
			var got anthropictest.Thinking
			if b.Thinking != nil {
				got = *b.Thinking
			}
			if d := cmp.Diff(c.thinking, got); d != "" {
				t.Errorf("thinking (-want +got):\n%s", d)
			}
		})
	}
}

// TestABudgetNeedsThinkingBefore: calls that came without thinking, as those of
// another model do, cannot be gone on with where thinking has a budget.
func TestABudgetNeedsThinkingBefore(t *testing.T) {
	s := &anthropictest.Server{}
	q := loop.Question{Tools: specs, Messages: []loop.Message{user("q"), called("", call("a", "look", `{}`)), result("a", "look", "1")}}
	fine(t, start(t, s, Config{Thinking: "2048"}), q)
	if b := s.Last().Body; b.Thinking != nil {
		t.Errorf("asked with thinking %+v", b.Thinking)
	}
}

func TestHeaders(t *testing.T) {
	s := &anthropictest.Server{Key: key}
	m := start(t, s, Config{})
	q := ofOne("hi")
	q.RequestID = "r-1"
	fine(t, m, q)
	h := s.Last().Header
	if h.Get("X-Api-Key") != key || h.Get("Authorization") != "Bearer "+key || h.Get("X-Request-Id") != "r-1" || h.Get("Anthropic-Version") != version {
		t.Errorf("an imitation gets %v", h)
	}
	q.RequestID = "r\r\nX-Evil: 1"
	fine(t, m, q)
	if h := s.Last().Header; h.Get("X-Request-Id") != "" || h.Get("X-Evil") != "" {
		t.Errorf("a made-up id passes: %v", h)
	}
	real, err := New(Config{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	h = http.Header{}
	if real.head(h, ""); h.Get("X-Api-Key") != key || h.Get("Authorization") != "" {
		t.Errorf("Anthropic itself gets %v", h)
	}
	egress, err := New(Config{URL: "http://llm.internal/anthropic/messages", Upstream: "https://api.anthropic.com/v1"})
	if err != nil {
		t.Fatal(err)
	}
	h = http.Header{}
	if egress.head(h, ""); h.Get("X-Api-Key")+h.Get("Authorization") != "" || !egress.genuine {
		t.Errorf("an egress proxy gets %v", h)
	}
}

// TestRefusals: each refusal says what it means, names no key, and is repeated only
// where that may help.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		reply reply
		code  fault.Code
		words string
		asked int
	}{
		"the key":          {reply{Status: 401, Message: "invalid x-api-key " + key}, fault.CodeProviderFailed, "ANTHROPIC_API_KEY", 1},
		"permission":       {reply{Status: 403, Message: "not allowed"}, fault.CodeProviderFailed, "ANTHROPIC_API_KEY", 1},
		"to be paid":       {reply{Status: 400, Message: "Your credit balance is too low to access the Anthropic API."}, fault.CodeProviderFailed, "paid", 1},
		"no such model":    {reply{Status: 404, Message: "model: claude-sonnet-4-5"}, fault.CodeProviderFailed, "does not know the model", 1},
		"too long":         {reply{Status: 400, Message: "prompt is too long: 210000 tokens > 200000 maximum"}, fault.CodeProviderFailed, "too long", 1},
		"too many bytes":   {reply{Status: 413, Message: "Request exceeds the maximum size"}, fault.CodeProviderFailed, "too long", 1},
		"something new":    {reply{Status: 400, Message: "The moon is full. " + key}, fault.CodeProviderFailed, "The moon is full.", 1},
		"busy":             {reply{Status: 429, Message: "This request would exceed your organization's rate limit", RetryAfter: "60"}, fault.CodeProviderBusy, "no more requests", 1},
		"overloaded":       {reply{Status: 529, Message: "Overloaded"}, fault.CodeProviderBusy, "overloaded", 3},
		"its own trouble":  {reply{Status: 500, Message: "Internal server error"}, fault.CodeProviderFailed, "trouble", 3},
		"a moved server":   {reply{Status: 302, Message: "moved"}, fault.CodeProviderFailed, "302", 1},
		"a web page":       {reply{Raw: "<html>login</html>", Type: "text/html"}, fault.CodeProviderFailed, "web page", 1},
		"another protocol": {reply{Raw: "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n"}, fault.CodeProviderFailed, "ANTHROPIC_PROTOCOL=openai", 1},
		"another server":   {reply{Raw: "404 page not found", Status: 404, Type: "text/plain"}, fault.CodeProviderFailed, "ANTHROPIC_BASE_URL", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &anthropictest.Server{}
			s.Fallback(func(*anthropictest.Request) anthropictest.Reply { return c.reply })
			var log bytes.Buffer
			m := start(t, s, Config{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
			a := ask(t.Context(), m, ofOne("hi, owl"))
			isFault(t, a.err, c.code, c.words)
			if errors.Is(a.err, loop.ErrTooLong) != strings.HasPrefix(name, "too ") {
				t.Errorf("%v: too long %v", a.err, errors.Is(a.err, loop.ErrTooLong))
			}
			if n := len(s.Requests()); n != c.asked {
				t.Errorf("asked %d times, want %d", n, c.asked)
			}
			if all := log.String(); strings.Contains(all, "canary") || strings.Contains(all, "owl") {
				t.Errorf("the log holds a secret or the conversation:\n%s", all)
			}
		})
	}
}

// TestAWindowWithLessRoom: the older models refuse a limit that their window cannot
// hold beside the prompt; a shorter answer is better than a shorter conversation.
func TestAWindowWithLessRoom(t *testing.T) {
	refusal := reply{Status: 400, Message: "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length or `max_tokens` and try again"}
	s := &anthropictest.Server{}
	s.Script(refusal)
	if fine(t, start(t, s, Config{}), ofOne("hi")); len(s.Requests()) != 2 || s.Last().Body.MaxTokens != 11760 {
		t.Errorf("after %d requests asked for %d tokens", len(s.Requests()), s.Last().Body.MaxTokens)
	}
	s = &anthropictest.Server{}
	s.Script(refusal, refusal)
	a := ask(t.Context(), start(t, s, Config{}), ofOne("hi"))
	if !errors.Is(a.err, loop.ErrTooLong) || len(s.Requests()) != 2 {
		t.Errorf("refused twice: %v after %d requests", a.err, len(s.Requests()))
	}
	s = &anthropictest.Server{}
	s.Script(reply{Status: 400, Message: "input length and `max_tokens` exceed context limit: 199990 + 64000 > 200000"})
	if a := ask(t.Context(), start(t, s, Config{}), ofOne("hi")); !errors.Is(a.err, loop.ErrTooLong) || len(s.Requests()) != 1 {
		t.Errorf("no room at all: %v after %d requests", a.err, len(s.Requests()))
	}
}
