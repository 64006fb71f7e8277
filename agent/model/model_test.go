package model

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func TestChoice(t *testing.T) {
	key := Provider{Key: "k"}
	for name, c := range map[string]struct {
		cfg  Config
		want []string
	}{
		"nothing":                        {Config{}, []string{"offline/offline"}},
		"one key":                        {Config{Settings: map[string]Provider{"deepseek": key}}, []string{"deepseek/deepseek-flash"}},
		"first key only":                 {Config{Settings: map[string]Provider{"kimi": key, "glm": key}}, []string{"glm/glm-4-flash"}},
		"named":                          {Config{Providers: []string{"kimi"}, Settings: map[string]Provider{"kimi": key, "glm": key}}, []string{"kimi/kimi-k2.6"}},
		"list":                           {Config{Providers: []string{" Kimi, glm,,kimi"}, Settings: map[string]Provider{"kimi": key, "glm": key}}, []string{"kimi/kimi-k2.6", "glm/glm-4-flash"}},
		"list with offline":              {Config{Providers: []string{"glm", "offline"}, Settings: map[string]Provider{"glm": key}}, []string{"glm/glm-4-flash", "offline/offline"}},
		"offline in spite of a key":      {Config{Providers: []string{"offline"}, Settings: map[string]Provider{"glm": key}}, []string{"offline/offline"}},
		"named without a key":            {Config{Providers: []string{"kimi"}, Settings: map[string]Provider{"glm": key}}, []string{"offline/offline"}},
		"list, one without a key":        {Config{Providers: []string{"kimi", "glm"}, Settings: map[string]Provider{"glm": key}}, []string{"glm/glm-4-flash"}},
		"ollama named":                   {Config{Providers: []string{"ollama"}}, []string{"ollama/qwen3"}},
		"ollama by its address":          {Config{Settings: map[string]Provider{"ollama": {URL: "http://127.0.0.1:11434", Model: "m"}}}, []string{"ollama/m"}},
		"ollama model alone is not it":   {Config{Settings: map[string]Provider{"ollama": {Model: "m"}}}, []string{"offline/offline"}},
		"openai elsewhere, no key":       {Config{Providers: []string{"openai"}, Settings: map[string]Provider{"openai": {URL: "http://h/v1", Model: "m"}}}, []string{"openai/m"}},
		"egress proxy":                   {Config{EgressURL: "http://llm.internal", EgressProviders: []string{"kimi", "glm"}}, []string{"kimi/kimi-k2.6"}},
		"egress proxy and a list":        {Config{Providers: []string{"glm", "kimi"}, EgressURL: "http://llm.internal", EgressProviders: []string{"kimi,glm"}}, []string{"glm/glm-4-flash", "kimi/kimi-k2.6"}},
		"egress proxy without providers": {Config{EgressURL: "http://llm.internal"}, []string{"offline/offline"}},
	} {
		t.Run(name, func(t *testing.T) {
			m, info := New(c.cfg, nil, nil)
			if m == nil {
				t.Fatal("no model")
			}
			var got []string
			for i, e := range info.Models {
				got = append(got, e.ID)
				if e.Default != (i == 0) {
					t.Errorf("%s default %v", e.ID, e.Default)
				}
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("models (-want +got):\n%s", d)
			}
			if want := strings.HasPrefix(c.want[0], "offline/"); info.Offline != want || info.Provider+"/"+info.Model != c.want[0] {
				t.Errorf("info %+v", info)
			}
		})
	}
}

func TestCheckNamesEveryFault(t *testing.T) {
	cfg := Config{
		Providers: []string{"glm", "gpt5", "ollama", "offline"}, EgressProviders: []string{"x"}, EgressURL: "llm",
		Settings: map[string]Provider{"deepseek": {URL: "ftp://user:canary@h"}},
	}
	faults := cfg.Check()
	all := errors.Join(faults...).Error()
	for _, want := range []string{"GLM_API_KEY", `"gpt5"`, "LLM_DOOR_PROVIDERS", "LLM_DOOR_URL", "deepseek"} {
		if !strings.Contains(all, want) {
			t.Errorf("faults lack %s:\n%s", want, all)
		}
	}
	if len(faults) != 5 || strings.Contains(all, "canary") {
		t.Errorf("%d faults, want 5 without the password:\n%s", len(faults), all)
	}
	if faults := (&Config{Settings: map[string]Provider{"glm": {Key: "k"}}}).Check(); faults != nil {
		t.Errorf("faults %v, want none", faults)
	}
}

func TestDoor(t *testing.T) {
	s := modeltest.New()
	url := s.Start(t)
	m, _ := New(Config{EgressURL: strings.TrimSuffix(url, "/v1"), EgressProviders: []string{"glm"}, Settings: map[string]Provider{"glm": {Key: "stays-home"}}}, nil, nil)
	if _, err := m.Answer(t.Context(), question(), func(string) {}); err != nil {
		t.Fatal(err)
	}
	r := s.Last()
	if r.Path != "/glm/chat/completions" || r.Header.Get("Authorization") != "" {
		t.Errorf("asked %s with %q, want /glm/chat/completions without a key", r.Path, r.Header.Get("Authorization"))
	}
}

// TestTheDialectGoesBehindTheDoor: the real OpenAI wants another field than its
// imitations, also where an egress proxy stands before it.
func TestTheDialectGoesBehindTheDoor(t *testing.T) {
	for upstream, field := range map[string]string{"": "max_completion_tokens", "https://models.example.com/v1": "max_tokens"} {
		s := modeltest.New()
		url := s.Start(t)
		m, _ := New(Config{EgressURL: strings.TrimSuffix(url, "/v1"), EgressProviders: []string{"openai"}, Settings: map[string]Provider{"openai": {URL: upstream}}, MaxTokens: 100}, nil, nil)
		if _, err := m.Answer(t.Context(), question(), func(string) {}); err != nil {
			t.Fatal(err)
		}
		if body := string(s.Last().Raw); !strings.Contains(body, `"`+field+`"`) {
			t.Errorf("before %q: asked with %s, want %s", upstream, body, field)
		}
	}
}

func question() loop.Question {
	return loop.Question{Messages: []loop.Message{{Role: chat.RoleUser, Text: "hi"}}}
}

func TestFailover(t *testing.T) {
	ok := modeltest.Reply{Text: "from the second"}
	for name, c := range map[string]struct {
		first, second modeltest.Reply
		text, model   string
		code          fault.Code
	}{
		"refused key":        {modeltest.Reply{Status: 401}, ok, "from the second", "kimi/kimi-k2.6", ""},
		"bad request":        {modeltest.Reply{Status: 400}, ok, "from the second", "kimi/kimi-k2.6", ""},
		"first is fine":      {modeltest.Reply{Text: "from the first"}, ok, "from the first", "glm/glm-4-flash", ""},
		"breaks off":         {modeltest.Reply{Text: "from the first", Fault: modeltest.FaultCut, After: 1}, ok, "from ", "glm/glm-4-flash", fault.CodeProviderFailed},
		"reasoned already":   {modeltest.Reply{Reasoning: "hm", Fault: modeltest.FaultCut, After: 1}, ok, "", "glm/glm-4-flash", fault.CodeProviderFailed},
		"both fail":          {modeltest.Reply{Status: 429, RetryAfter: "60"}, modeltest.Reply{Status: 401}, "", "kimi/kimi-k2.6", fault.CodeProviderBusy},
		"first is busy long": {modeltest.Reply{Status: 429, RetryAfter: "60"}, ok, "from the second", "kimi/kimi-k2.6", ""},
	} {
		t.Run(name, func(t *testing.T) {
			one, two := modeltest.New(), modeltest.New()
			one.Script(c.first)
			two.Script(c.second)
			var log bytes.Buffer
			m, _ := New(Config{
				Providers: []string{"glm", "kimi"},
				Settings:  map[string]Provider{"glm": {Key: "canary-1", URL: one.Start(t)}, "kimi": {Key: "canary-2", URL: two.Start(t)}},
			}, slog.New(slog.NewTextHandler(&log, nil)), nil)
			var streamed strings.Builder
			got, err := m.Answer(t.Context(), question(), func(s string) { streamed.WriteString(s) })
			if fault.CodeOf(err) != c.code || got.Text != c.text || streamed.String() != c.text || got.Model != c.model {
				t.Errorf("got %q (streamed %q) of %s, error %v; want %q of %s, code %q", got.Text, streamed.String(), got.Model, err, c.text, c.model, c.code)
			}
			if strings.Contains(log.String(), "canary") {
				t.Errorf("a key stands in the log:\n%s", log.String())
			}
		})
	}
}

func TestAPreferredModelIsAskedFirst(t *testing.T) {
	for preferred, want := range map[string]string{
		"":                     "a b c",
		"glm/a":                "a b c",
		"kimi/b":               "b a c",
		"qwen/c":               "c a b",
		"gone/since/a restart": "a b c",
	} {
		var asked []string
		fails := func(name string) loop.Model {
			return modelFunc(func() error { asked = append(asked, name); return errors.New("down") })
		}
		f := &failover{models: []candidate{{"glm/a", fails("a")}, {"kimi/b", fails("b")}, {"qwen/c", fails("c")}}, log: slog.New(slog.DiscardHandler)}
		if _, err := f.Answer(t.Context(), loop.Question{Model: preferred}, func(string) {}); err == nil {
			t.Error("an answer came from nobody")
		}
		if got := strings.Join(asked, " "); got != want {
			t.Errorf("%q preferred: asked %s, want %s", preferred, got, want)
		}
	}
}

type modelFunc func() error

func (f modelFunc) Answer(context.Context, loop.Question, func(string)) (loop.Answer, error) {
	return loop.Answer{}, f()
}

func TestFailoverStopsWhenCancelled(t *testing.T) {
	one, two := modeltest.New(), modeltest.New()
	one.Script(modeltest.Reply{Fault: modeltest.FaultHang})
	m, _ := New(Config{Providers: []string{"glm", "kimi"}, Settings: map[string]Provider{"glm": {Key: "k", URL: one.Start(t)}, "kimi": {Key: "k", URL: two.Start(t)}}}, nil, nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		one.Wait(ctx, 1)
		cancel()
	}()
	if _, err := m.Answer(ctx, question(), func(string) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want cancelled", err)
	}
	if n := len(two.Requests()); n != 0 {
		t.Errorf("the second provider was asked %d times, want 0", n)
	}
}

func TestInfoIsJSON(t *testing.T) {
	_, info := New(Config{Settings: map[string]Provider{"glm": {Key: "canary"}}}, nil, nil)
	got, err := json.Marshal(info)
	want := `{"provider":"glm","model":"glm-4-flash","offline":false,"models":[{"id":"glm/glm-4-flash","provider":"glm","name":"glm-4-flash","default":true,"context":128000,"vision":false,"prices":{"currency":"CNY","input":0,"output":0,"date":"2026-11-29","source":"https://docs.bigmodel.cn/cn/guide/start/model-overview"}}]}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}
