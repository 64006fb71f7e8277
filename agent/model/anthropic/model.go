package anthropic

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/dialect"
	"github.com/loongclaw/loongclaw/agent/model/providers"
	"github.com/loongclaw/loongclaw/agent/model/wire"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// DefaultTimeout is how long a provider may be silent.
const DefaultTimeout = 60 * time.Second

const provider = "anthropic"

// Config says how to ask.
type Config struct {
	Key         string        // empty where none is needed: an egress proxy
	URL         string        // with /v1, without, or the full path of the messages; empty is the table's
	Upstream    string        // the provider's own address where URL is the egress proxy's
	Model       string        // empty is the table's
	MaxTokens   int           // 0 is the model's own limit
	Vision      bool          // the model sees images
	Thinking    string        // adaptive, disabled or a budget in tokens; empty is what the model does by itself
	Temperature *float64      // nil is the model's own; sent only to models that take one
	Timeout     time.Duration // to the first byte and between two; 0 is DefaultTimeout
	Client      *http.Client  // nil is one of our own
	Log         *slog.Logger  // nil is silence
}

// Model asks Anthropic, or whoever speaks its protocol, for one model.
type Model struct {
	name        string
	key         string
	url         *url.URL
	genuine     bool // Anthropic itself, and no imitation
	maxTokens   int
	sees        bool
	thinking    thinking
	temperature *float64
	timeout     time.Duration
	client      *http.Client
	log         *slog.Logger
	secrets     wire.Secrets
}

// New makes a model out of its configuration.
func New(c Config) (*Model, error) {
	spec, _ := providers.Find(provider)
	if c.URL == "" {
		c.URL = spec.Base
	}
	if c.Model == "" {
		c.Model = spec.Model
	}
	at, err := endpoint(c.URL)
	if err != nil {
		return nil, err
	}
	upstream := at
	if c.Upstream != "" {
		if upstream, err = endpoint(c.Upstream); err != nil {
			return nil, err
		}
	}
	t, err := readThinking(c.Thinking)
	if err != nil {
		return nil, fault.New(fault.CodeInvalidRequest, "ANTHROPIC_THINKING is not understood: "+err.Error(), "leave it out, or set it to adaptive, disabled or a number such as 8192")
	}
	m := &Model{
		name: c.Model, key: c.Key, url: at, genuine: isGenuine(upstream), maxTokens: c.MaxTokens, sees: c.Vision, thinking: t,
		timeout: c.Timeout, client: wire.Client(c.Client), log: c.Log, secrets: wire.SecretsOf(c.Key, at),
	}
	g := generationOf(c.Model)
	if t.kind == "enabled" && !g.budget() {
		m.thinking = thinking{kind: "adaptive"}
	}
	if m.maxTokens <= 0 {
		m.maxTokens = g.maxTokens()
	}
	if c.Temperature != nil && g.temperature() {
		v := min(max(*c.Temperature, 0), 1) // its scale ends at 1
		m.temperature = &v
	}
	if m.timeout <= 0 {
		m.timeout = DefaultTimeout
	}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	return m, nil
}

func (m *Model) recipient() recipient { return recipient{m.Name(), m.sees} }

// Name is the model as PROVIDER/NAME.
func (m *Model) Name() string { return provider + "/" + m.name }

const messagesPath = "/messages"

// endpoint makes the address of the messages out of any form of base URL: the full
// path, the folder that ends in /v1, or what stands before that.
func endpoint(base string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(base))
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		// The address itself stays out: it may hold a password.
		return nil, fault.New(fault.CodeInvalidRequest, "the base URL of anthropic is no http or https address", "set ANTHROPIC_BASE_URL to something like https://host/v1")
	}
	u.Fragment, u.RawFragment = "", ""
	path := strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/chat/completions")
	switch {
	case strings.HasSuffix(path, messagesPath):
	case strings.HasSuffix(path, "/v1"):
		path += messagesPath
	default:
		path += "/v1" + messagesPath
	}
	u.Path, u.RawPath = path, ""
	return u, nil
}

func isGenuine(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	return host == "anthropic.com" || strings.HasSuffix(host, ".anthropic.com")
}

// maxPauses is how often an answer is continued that its provider paused.
const maxPauses = 8

// course is how far a question has come.
type course struct {
	thoughts bool // thinking still goes back
	chosen   bool // it is held to a call, or to one at a time
	shorter  bool // a shorter answer was asked for
	pauses   int
	tries    int
	start    time.Time
}

// Answer asks the provider: again where that is allowed, without thinking where it
// refuses what it is shown, and on where it paused.
func (m *Model) Answer(ctx context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
	at := course{thoughts: true, start: time.Now(), chosen: q.Choice != loop.Choice{} || q.OneCall}
	c := converse(&q, m.recipient(), true)
	a := &answer{m: m, names: c.names, prefix: c.prefix(), onText: onText, onReasoning: q.OnReasoning}
	for {
		x := a.exchange()
		f := m.ask(ctx, x, q.RequestID, m.request(c, q.NoCalls, a.parts.so()))
		a.add(x)
		if err := m.ended(ctx); err != nil {
			return a.partial(), err.With(q.RequestID)
		}
		switch next := at.after(x, f); next {
		case done:
			return a.done(x.stop)
		case goOn:
			continue
		case plainly:
			m.log.LogAttrs(ctx, slog.LevelWarn, "asking without the thinking of earlier answers", slog.String("model", m.Name()),
				slog.String("requestId", q.RequestID), slog.Any("error", f.Error))
			c = converse(&q, m.recipient(), false)
			if at.pauses == 0 {
				a.prefix, a.plain = c.prefix(), true
			}
		case inWords:
			m.log.LogAttrs(ctx, slog.LevelWarn, "asking for a call in words", slog.String("model", m.Name()),
				slog.String("requestId", q.RequestID), slog.Any("error", f.Error))
			q = dialect.ToldChoice(q)
			c = converse(&q, m.recipient(), at.thoughts)
		case shorter:
			m = m.withMost(f.room)
		case again:
			wait, ok := wire.RetryIn(at.tries-1, time.Since(at.start), f.RetryAfter)
			if !ok {
				return a.partial(), f.With(q.RequestID)
			}
			m.log.LogAttrs(ctx, slog.LevelWarn, "asking the provider again", slog.String("model", m.Name()),
				slog.String("requestId", q.RequestID), slog.Duration("in", wait), slog.Any("error", f.Error))
			if !wire.Sleep(ctx, wait) {
				return a.partial(), m.ended(ctx).With(q.RequestID)
			}
		case fail:
			return a.partial(), f.With(q.RequestID)
		}
	}
}

// step is what follows from an exchange.
type step int

const (
	fail    step = iota
	done         // the answer is complete
	goOn         // it was paused: ask for the rest
	again        // nothing came of it yet: ask the same
	plainly      // ask without thinking
	shorter      // ask for a shorter answer
	inWords      // ask for the call in words
)

// after decides what follows from an exchange.
func (at *course) after(x *exchange, f *failure) step {
	switch {
	case f == nil && x.stop == stopPause && !x.calls && x.began && at.pauses < maxPauses:
		at.pauses++
		at.tries, at.start = 0, time.Now()
		return goOn
	case f == nil:
		return done
	case x.began:
		return fail // what was shown cannot be taken back
	case errors.Is(f.Error, errThinking) && at.thoughts:
		at.thoughts = false
		return plainly
	case f.room >= minRoom && !at.shorter:
		at.shorter = true
		return shorter
	case at.chosen && f.bad:
		at.chosen = false
		return inWords
	case f.retry:
		at.tries++
		return again
	}
	return fail
}

// minRoom is the least room for an answer that is worth asking for, in tokens.
const minRoom = 1024

// withMost is the same model with another limit for an answer.
func (m *Model) withMost(tokens int) *Model {
	own := *m
	own.maxTokens = tokens
	return &own
}

// ended is the error of a context that has ended, nil where it has not. It comes
// first: whatever else went wrong follows from it.
func (m *Model) ended(ctx context.Context) *fault.Error {
	err := ctx.Err()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(err, fault.CodeProviderTime, "the answer took too long", "ask for less at once, or try again")
	}
	return fault.Wrap(err, fault.CodeCancelled, "the answer was cancelled", "ask again if that was not meant")
}

// answer is an answer over all the exchanges that it takes.
type answer struct {
	m      *Model
	names  *names
	prefix string
	plain  bool // the thinking of earlier answers was refused
	onText func(string)
	parts  parts

	onReasoning func(string) // nil is nobody
	thought     int          // how much of the reasoning it has had
	used        *chat.Usage
}

func (a *answer) exchange() *exchange { return &exchange{a: a, open: map[int]*part{}} }

// reason gives what has come of the reasoning to the caller.
func (a *answer) reason() {
	s := a.parts.reasoning.String()[a.thought:]
	a.thought += len(s)
	if s != "" && a.onReasoning != nil {
		a.onReasoning(s)
	}
}

// add takes the usage of an exchange that has ended.
func (a *answer) add(x *exchange) { a.used = a.used.Add(x.used.usage()) }

// partial is what came before a failure.
func (a *answer) partial() loop.Answer {
	return loop.Answer{Text: a.parts.text.String(), Reasoning: a.parts.reasoning.String(), Calls: a.parts.calls(a.names, false), Usage: a.used, Model: a.m.Name()}
}

// done is the whole answer.
func (a *answer) done(stop string) (loop.Answer, error) {
	out := a.partial()
	out.Finish = finish(stop)
	switch {
	case out.Finish == chat.FinishRefusal || out.Finish == chat.FinishContentFilter:
		out.Calls = nil // what a refusal stopped was not meant to be done
	case out.Finish == chat.FinishLength:
		out.Calls = a.parts.calls(a.names, true)
		if stop == stopWindow && strings.TrimSpace(out.Text) == "" && len(out.Calls) == 0 {
			return out, a.m.tooLong("stop reason " + stop).Error
		}
	case len(out.Calls) > 0:
		out.Finish = chat.FinishToolCalls
	}
	if meant := out.Finish == chat.FinishRefusal || out.Finish == chat.FinishContentFilter; !meant {
		out.Native = a.parts.native(a.prefix, a.plain)
		if len(out.Calls) == 0 && strings.TrimSpace(out.Text) == "" {
			out.Finish = chat.FinishEmpty
		}
	}
	return out, nil
}

// The stop reasons that more follows from than a name.
const (
	stopPause  = "pause_turn"
	stopWindow = "model_context_window_exceeded"
)

// finish is why an answer ended. What Anthropic may call it tomorrow is an end like
// any other: the message had come to its own.
func finish(stop string) chat.Finish {
	switch stop {
	case "max_tokens", stopWindow, stopPause: // a pause is left where it was too often
		return chat.FinishLength
	case "refusal":
		return chat.FinishRefusal
	case "content_filter", "sensitive":
		return chat.FinishContentFilter
	}
	return chat.FinishStop
}

var _ loop.Model = (*Model)(nil)
