package langchain

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/model/providers"
	"github.com/loongclaw/loongclaw/agent/model/refusal"
	"github.com/loongclaw/loongclaw/agent/model/wire"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// retryIn reports whether to ask again after a failure, and when.
func retryIn(x *exchange, tries int, passed time.Duration) (time.Duration, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.retry || x.parts.heard {
		return 0, false
	}
	return wire.RetryIn(tries, passed, x.err.RetryAfter)
}

// fault is the error of an attempt, nil where it has none. The end of the
// caller's context comes first: what else went wrong follows from it.
func (m *Model) fault(ctx context.Context, x *exchange) *fault.Error {
	if err := ctx.Err(); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return fault.Wrap(err, fault.CodeProviderTime, "the answer took too long", "ask for less at once, or try again")
		}
		return fault.Wrap(err, fault.CodeCancelled, "the answer was cancelled", "ask again if that was not meant")
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.err
}

// unreachable is a request that got no answer, or lost it on the way.
func (m *Model) unreachable(err error) *fault.Error {
	var timeout interface{ Timeout() bool }
	if errors.Is(err, errSilent) || errors.Is(err, context.Canceled) || (errors.As(err, &timeout) && timeout.Timeout()) {
		// Canceled without the caller's doing is our own watch.
		return fault.Wrap(errSilent, fault.CodeProviderTime, "the provider "+m.provider+" says nothing for "+m.timeout.String(),
			"try again; for a model that thinks longer before its first word, raise LLM_TIMEOUT")
	}
	return fault.Wrap(m.scrub(err), fault.CodeProviderFailed, "the connection to the provider "+m.provider+" failed",
		"try again; if it stays, check "+urlVariable(m.provider)+" and the network")
}

// broken is an answer that stopped in the middle.
func (m *Model) broken(why string) *fault.Error {
	return fault.Wrap(errors.New(why), fault.CodeProviderFailed, "the provider "+m.provider+" broke off its answer", "ask again")
}

// webPage is what stands at an address that is no API.
func (m *Model) webPage() *fault.Error {
	return fault.New(fault.CodeProviderFailed, "the provider "+m.provider+" answered with a web page", "check "+urlVariable(m.provider)+": it should end in /v1 or the like")
}

func (m *Model) tooLong() *fault.Error {
	w := refusal.Words{Status: http.StatusOK, Code: "context_length_exceeded"}
	f, _ := w.Fault(m.who())
	return f
}

func (m *Model) who() refusal.Who {
	return refusal.Who{Provider: m.provider, Model: m.name, Clip: m.clip}
}

// inStream is an error in the place of an answer, with status 200.
func (m *Model) inStream(raw []byte) (*fault.Error, bool) {
	w := refusal.Parse(http.StatusOK, raw)
	return w.Fault(m.who())
}

// refused is an answer with an error status.
func (m *Model) refused(resp *http.Response, body []byte) (*fault.Error, bool) {
	w := refusal.Parse(resp.StatusCode, body)
	f, retry := w.Fault(m.who())
	if d := wire.RetryAfter(resp.Header, time.Now()); d > 0 {
		f = f.After(d)
	}
	return f, retry
}

func has(s string, words ...string) bool {
	for _, a := range words {
		if strings.Contains(s, a) {
			return true
		}
	}
	return false
}

// urlVariable is the variable of a provider's address, for a hint.
func urlVariable(provider string) string {
	spec, _ := providers.Find(provider)
	return spec.URL()
}

func badURL(provider string) *fault.Error {
	// The address itself stays out: it may hold a password.
	return fault.New(fault.CodeInvalidRequest, "the base URL of "+provider+" is no http or https address", "set "+urlVariable(provider)+" to something like https://host/v1")
}

// scrub is an error without secrets and without the address.
func (m *Model) scrub(err error) error { return m.secrets.Scrub(err) }

// clip makes a provider's words fit for a log.
func (m *Model) clip(s string) string { return m.secrets.Clip(s) }
