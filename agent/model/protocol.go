package model

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/anthropic"
	"github.com/loongclaw/loongclaw/agent/model/langchain"
)

// The protocols that anthropic may be spoken to in.
const (
	ProtocolMessages = "messages" // its own, POST …/messages
	ProtocolOpenAI   = "openai"   // POST …/chat/completions
)

// protocol is the one that is configured for anthropic, by name or by the form of
// its address; empty is its own, and the other one where the server does not know it.
func (c *Config) protocol() string {
	if c.AnthropicProtocol != "" {
		return c.AnthropicProtocol
	}
	if u, err := url.Parse(strings.TrimSpace(c.provider(langchain.Anthropic).URL)); err == nil && strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/chat/completions") {
		return ProtocolOpenAI
	}
	return ""
}

// anthropic is what speaks to Anthropic, or to a server that imitates it.
func (c *Config) anthropic(logger *slog.Logger, httpClient *http.Client) (loop.Model, string, error) {
	lc := c.langchain(langchain.Anthropic)
	lc.Log, lc.Client = logger, httpClient
	if c.protocol() == ProtocolOpenAI {
		m, err := langchain.New(lc)
		if err != nil {
			return nil, "", err
		}
		return m, m.Name(), nil
	}
	at := lc.URL
	if c.proxied(langchain.Anthropic) {
		at += "/messages" // the egress proxy knows each provider by one name, without a version
	}
	own, err := anthropic.New(anthropic.Config{
		Key: lc.Key, URL: at, Upstream: lc.Upstream, Model: lc.Model, MaxTokens: c.MaxTokens, Vision: lc.Vision, Thinking: c.AnthropicThinking,
		Temperature: c.Temperature, Timeout: c.Timeout, Client: httpClient, Log: logger,
	})
	if err != nil {
		return nil, "", err
	}
	if c.protocol() == ProtocolMessages {
		return own, own.Name(), nil
	}
	other, err := langchain.New(lc)
	if err != nil {
		return nil, "", err
	}
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &eitherProtocol{own: own, other: other, log: logger}, own.Name(), nil
}

// eitherProtocol asks in Anthropic's own protocol, and in OpenAI's from the time on
// when a server has shown that it speaks only that: many gateways before Anthropic
// do, and whoever had set one up before this agent spoke Anthropic's own protocol
// keeps their answers.
type eitherProtocol struct {
	own, other loop.Model
	log        *slog.Logger
	isOther    atomic.Bool
}

// Answer asks in the protocol that the server speaks.
func (m *eitherProtocol) Answer(ctx context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
	if m.isOther.Load() {
		return m.other.Answer(ctx, q, onText)
	}
	a, err := m.own.Answer(ctx, q, onText)
	if !errors.Is(err, anthropic.ErrProtocol) {
		return a, err
	}
	a, err = m.other.Answer(ctx, q, onText)
	if err == nil && !m.isOther.Swap(true) {
		m.log.LogAttrs(ctx, slog.LevelWarn, "the server speaks OpenAI's protocol only; set ANTHROPIC_PROTOCOL=openai", slog.String("provider", langchain.Anthropic))
	}
	return a, err
}

var _ loop.Model = (*eitherProtocol)(nil)
