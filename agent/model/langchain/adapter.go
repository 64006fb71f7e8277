package langchain

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/openai"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/dialect"
	"github.com/loongclaw/loongclaw/agent/model/providers"
	"github.com/loongclaw/loongclaw/agent/model/wire"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// The original's temperature, and how long a provider may be silent.
const (
	DefaultTemperature = 0.7
	DefaultTimeout     = 60 * time.Second
)

// Config says which provider to ask, and how.
type Config struct {
	Provider    string        // one that Known knows
	Key         string        // empty where none is needed: an egress proxy, Ollama
	URL         string        // either form of base URL; empty is the default
	Upstream    string        // the provider's own address where URL is the egress proxy's; the dialect goes by it
	Model       string        // empty is the default
	Temperature *float64      // nil is DefaultTemperature
	MaxTokens   int           // of one answer; 0 is the provider's own limit
	Vision      bool          // the model sees images
	Timeout     time.Duration // to the first byte and between two; 0 is DefaultTimeout
	Client      *http.Client  // nil is one of our own
	Log         *slog.Logger  // nil is silence
}

// Model asks one provider for one model.
type Model struct {
	provider    string
	name        string
	key         string
	url         *url.URL
	dialect     dialect.Rules
	temperature float64
	maxTokens   int
	sees        bool
	timeout     time.Duration
	client      *http.Client
	log         *slog.Logger
	secrets     wire.Secrets
	inside      atomic.Bool // the last answer began inside a thought
}

// New makes a model out of its configuration.
func New(c Config) (*Model, error) {
	def, ok := Known(c.Provider)
	if !ok {
		return nil, fault.New(fault.CodeInvalidRequest, "unknown provider "+c.Provider, "use one of "+strings.Join(providers.Names(), ", "))
	}
	if c.URL == "" {
		c.URL = def.URL
	}
	if c.Model == "" {
		c.Model = def.Model
	}
	at, err := endpoint(c.Provider, c.URL)
	if err != nil {
		return nil, err
	}
	upstream := at
	if c.Upstream != "" {
		if upstream, err = endpoint(c.Provider, c.Upstream); err != nil {
			return nil, err
		}
	}
	m := &Model{
		provider: c.Provider, name: c.Model, key: c.Key, url: at, dialect: dialect.Of(c.Provider, c.Model, upstream),
		temperature: DefaultTemperature, maxTokens: c.MaxTokens, sees: c.Vision, timeout: c.Timeout,
		client: wire.Client(c.Client), log: c.Log, secrets: wire.SecretsOf(c.Key, at),
	}
	if c.Temperature != nil {
		m.temperature = *c.Temperature
	}
	if m.timeout <= 0 {
		m.timeout = DefaultTimeout
	}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	return m, nil
}

// Name is the model as PROVIDER/NAME.
func (m *Model) Name() string { return m.provider + "/" + m.name }

// Answer asks the provider, again where that is allowed.
func (m *Model) Answer(ctx context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
	start := time.Now()
	for tries := 0; ; tries++ {
		x := m.attempt(ctx, q, onText)
		err := m.fault(ctx, x)
		if err == nil {
			return x.answer(m.Name()), nil
		}
		refused := (x.status == http.StatusBadRequest || x.status == http.StatusUnprocessableEntity) && ctx.Err() == nil
		if q.Format != nil && refused {
			q.Format = nil // this model does not take it, and has been told of it in words
			continue
		}
		if refused && (q.Choice != loop.Choice{} || q.OneCall) {
			q = dialect.ToldChoice(q)
			continue
		}
		wait, again := retryIn(x, tries, time.Since(start))
		if !again || ctx.Err() != nil {
			return x.answer(m.Name()), err.With(q.RequestID)
		}
		m.log.LogAttrs(ctx, slog.LevelWarn, "asking the provider again", slog.String("model", m.Name()),
			slog.String("requestId", q.RequestID), slog.Duration("in", wait), slog.Any("error", err))
		if !wire.Sleep(ctx, wait) {
			return x.answer(m.Name()), m.fault(ctx, x).With(q.RequestID)
		}
	}
}

// attempt asks once. What came of it stands in the exchange.
func (m *Model) attempt(ctx context.Context, q loop.Question, onText func(string)) *exchange {
	own, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	placeholder, body := m.history(q)
	x := &exchange{
		ctx: own, m: m, requestID: q.RequestID, body: body, onText: onText, onReasoning: q.OnReasoning,
		parts: newParts(declare(q), m.inside.Load()), silence: wire.NewSilence(func() { cancel(errSilent) }),
	}
	defer x.silence.Stop()
	defer x.end()
	defer func() {
		if v := recover(); v != nil {
			x.fail(m.panicked(v))
		}
	}()
	llm, err := openai.New(
		openai.WithToken("none"), openai.WithOrganization(""), // the exchange adds the real key; no environment is read
		openai.WithModel("model"), // a name that the library has no special case for
		openai.WithBaseURL("http://provider"),
		openai.WithHTTPClient(x),
	)
	if err != nil {
		x.fail(fault.Internal(err))
		return x
	}
	// The library must not see the context end: it would return at once, at
	// times without an error, while it still reads. The request does see it,
	// and a failed read ends the library soon and surely.
	_, err = llm.GenerateContent(context.WithoutCancel(ctx), placeholder,
		llms.WithStreamingFunc(func(context.Context, []byte) error { return nil })) // that it asks for a stream
	x.deliver()
	switch {
	case err != nil:
		x.fail(fault.Wrap(m.scrub(err), fault.CodeProviderFailed, "the provider "+m.provider+" gave no answer that can be read", "try again"))
	case x.unfinished():
		x.fail(m.broken("the answer has no end"))
	}
	return x
}

var _ loop.Model = (*Model)(nil)
