package model

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/model/anthropic/anthropictest"
	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// bilingual is a server that speaks either protocol, or only one of them.
type bilingual struct {
	messages, chat http.Handler // nil is a path that there is not
	mu             sync.Mutex
	paths          []string
	keys           []string
}

// ServeHTTP leads to whoever speaks the protocol of the path.
func (b *bilingual) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	b.paths = append(b.paths, r.URL.Path)
	b.keys = append(b.keys, r.Header.Get("X-Api-Key")+r.Header.Get("Authorization"))
	b.mu.Unlock()
	next := b.chat
	if strings.HasSuffix(r.URL.Path, "/messages") {
		next = b.messages
	}
	if next == nil {
		http.NotFound(w, r)
		return
	}
	next.ServeHTTP(w, r)
}

func TestTheProtocolOfAnthropic(t *testing.T) {
	for name, c := range map[string]struct {
		protocol, path string
		egress         bool
		only           string // what the server speaks; empty is both
		want           []string
	}{
		"its own":                              {want: []string{"/v1/messages"}},
		"its own, from /v1":                    {path: "/v1", want: []string{"/v1/messages"}},
		"its own, from a folder":               {path: "/claude/", want: []string{"/claude/v1/messages"}},
		"its own, in full":                     {path: "/v1/messages", want: []string{"/v1/messages"}},
		"the address says OpenAI's":            {path: "/v1/chat/completions", want: []string{"/v1/chat/completions"}},
		"the name says OpenAI's":               {protocol: ProtocolOpenAI, path: "/v1", want: []string{"/v1/chat/completions"}},
		"OpenAI's, from a bare address":        {protocol: ProtocolOpenAI, want: []string{"/v1/chat/completions"}},
		"the name wins over the address":       {protocol: ProtocolMessages, path: "/v1/chat/completions", want: []string{"/v1/messages"}},
		"the server speaks OpenAI's only":      {only: ProtocolOpenAI, path: "/v1", want: []string{"/v1/messages", "/v1/chat/completions", "/v1/chat/completions"}},
		"behind the egress proxy":              {egress: true, want: []string{"/anthropic/messages"}},
		"behind the egress proxy, in OpenAI's": {egress: true, protocol: ProtocolOpenAI, want: []string{"/anthropic/chat/completions"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := &bilingual{messages: &anthropictest.Server{Lenient: true}, chat: modeltest.New()}
			if c.only == ProtocolOpenAI {
				b.messages = nil
			}
			s := httptest.NewServer(b)
			defer s.Close()
			cfg := Config{AnthropicProtocol: c.protocol, Settings: map[string]Provider{"anthropic": {Key: "stays-home", URL: s.URL + c.path}}}
			if c.egress {
				cfg.EgressURL, cfg.EgressProviders = s.URL, []string{"anthropic"}
			}
			m, info := New(cfg, nil, nil)
			if info.Provider != "anthropic" || info.Model != "claude-sonnet-5-5" {
				t.Fatalf("chosen: %+v", info)
			}
			for range len(c.want)/2 + 1 { // what the server showed is remembered
				if a, err := m.Answer(t.Context(), question(), func(string) {}); err != nil || a.Text == "" || a.Model != "anthropic/claude-sonnet-5-5" {
					t.Fatalf("%q of %s, %v", a.Text, a.Model, err)
				}
			}
			if d := cmp.Diff(c.want, b.paths); d != "" {
				t.Errorf("asked (-want +got):\n%s", d)
			}
			if keys := strings.Join(b.keys, ""); strings.Contains(keys, "stays-home") == c.egress {
				t.Errorf("the server was shown %q", keys)
			}
		})
	}
}

// TestAFailureIsNoOtherProtocol: what a server says in Anthropic's own form stands,
// and the other protocol is not tried.
func TestAFailureIsNoOtherProtocol(t *testing.T) {
	own := &anthropictest.Server{}
	own.Script(anthropictest.Reply{Status: http.StatusNotFound, Message: "model: claude-sonnet-5-5"})
	b := &bilingual{messages: own, chat: modeltest.New()}
	s := httptest.NewServer(b)
	defer s.Close()
	var log bytes.Buffer
	m, _ := New(Config{Settings: map[string]Provider{"anthropic": {Key: "k-canary", URL: s.URL}}}, slog.New(slog.NewTextHandler(&log, nil)), nil)
	_, err := m.Answer(t.Context(), question(), func(string) {})
	var f *fault.Error
	if !errors.As(err, &f) || !strings.Contains(f.Message, "does not know the model") {
		t.Errorf("error %v", err)
	}
	if len(b.paths) != 1 || strings.Contains(log.String(), "canary") {
		t.Errorf("asked %v, logged %s", b.paths, log.String())
	}
}

func TestCheckOfAnthropic(t *testing.T) {
	cfg := Config{AnthropicProtocol: "soap", AnthropicThinking: "deep", Settings: map[string]Provider{"anthropic": {URL: "ftp://user:canary@h"}}}
	all := errors.Join(cfg.Check()...).Error()
	for _, want := range []string{"ANTHROPIC_PROTOCOL", "anthropic is no http"} {
		if !strings.Contains(all, want) {
			t.Errorf("faults lack %s:\n%s", want, all)
		}
	}
	if strings.Contains(all, "canary") {
		t.Errorf("a password stands in\n%s", all)
	}
	cfg = Config{AnthropicThinking: "deep"}
	if faults := cfg.Check(); len(faults) != 1 || !strings.Contains(faults[0].Error(), "ANTHROPIC_THINKING") {
		t.Errorf("faults %v", faults)
	}
}

func TestTheWindowOfAClaude(t *testing.T) {
	for name, want := range map[string]int{"": 1_000_000, "claude-sonnet-4-5": 200_000, "claude-3-5-haiku-latest": 200_000, "someone-elses": 32_768} {
		_, info := New(Config{Settings: map[string]Provider{"anthropic": {Key: "k", Model: name}}}, nil, nil)
		if got := info.Window(); got != want {
			t.Errorf("%q has %d tokens, want %d", name, got, want)
		}
	}
}
