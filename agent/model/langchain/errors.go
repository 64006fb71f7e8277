package langchain

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/model/wire"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// retryIn says whether to ask again after a failure, and when.
func retryIn(x *exchange, tries int, passed time.Duration) (time.Duration, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.retry || x.began {
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
			"try again; if it stays, look at the provider's status page")
	}
	return fault.Wrap(m.scrub(err), fault.CodeProviderFailed, "the connection to the provider "+m.provider+" failed",
		"try again; if it stays, check "+env(m.provider, "URL")+" and the network")
}

// broken is an answer that stopped in the middle.
func (m *Model) broken(why string) *fault.Error {
	return fault.Wrap(errors.New(why), fault.CodeProviderFailed, "the provider "+m.provider+" broke off its answer", "ask again")
}

// webPage is what stands at an address that is no API.
func (m *Model) webPage() *fault.Error {
	return fault.New(fault.CodeProviderFailed, "the provider "+m.provider+" answered with a web page", "check "+env(m.provider, "URL")+": it should end in /v1 or the like")
}

// badFinish is the error of an end that is no answer.
func (m *Model) badFinish(finish string) *fault.Error {
	switch {
	case finish == "":
		return m.broken("the stream has no finish reason")
	case finish == "content_filter" || finish == "sensitive":
		return fault.New(fault.CodeProviderFailed, "the provider "+m.provider+" refused to go on with this content", "say it in other words")
	case strings.Contains(finish, "context_window") || strings.Contains(finish, "context_length"):
		return m.tooLong(nil)
	case has(finish, "error", "insufficient", "abort"):
		return m.broken("finish reason " + m.clip(finish))
	}
	return nil
}

func (m *Model) tooLong(cause error) *fault.Error {
	return fault.Wrap(cause, fault.CodeProviderFailed, "the conversation is too long for the model "+m.name, "start a new session, or choose a model with a larger context")
}

// words are a provider's own words for an error, in the forms that are about.
type words struct {
	Message string `json:"message"`
	Type    string `json:"type"`
	Code    any    `json:"code"`
}

func wordsOf(raw json.RawMessage) words {
	var w words
	if json.Unmarshal(raw, &w) != nil {
		w.Message = strings.Trim(string(raw), `"`)
	}
	return w
}

func (w words) code() string {
	switch c := w.Code.(type) {
	case string:
		return c
	case float64:
		return strconv.Itoa(int(c))
	}
	return ""
}

func (w words) all() string { return w.Type + " " + w.code() + " " + w.Message }

func (m *Model) cause(status int, w words) error {
	s := "status " + strconv.Itoa(status)
	if status == http.StatusOK {
		s = "in the stream"
	}
	return errors.New(s + ": " + m.clip(w.all()))
}

// refused is an answer with an error status.
func (m *Model) refused(resp *http.Response, body []byte) (*fault.Error, bool) {
	var outer struct {
		Error json.RawMessage `json:"error"`
	}
	raw := json.RawMessage(body)
	if json.Unmarshal(body, &outer) == nil && present(outer.Error) {
		raw = outer.Error
	}
	w := wordsOf(raw)
	f, retry := m.classify(resp.StatusCode, w)
	if d := wire.RetryAfter(resp.Header, time.Now()); d > 0 {
		f = f.After(d)
	}
	return f, retry
}

// inStream is an error that came in the middle of a stream that began well.
func (m *Model) inStream(raw json.RawMessage) (*fault.Error, bool) {
	w := wordsOf(raw)
	status := http.StatusOK
	switch s := strings.ToLower(w.all()); {
	case has(s, "rate_limit", "rate limit", "too many requests"), is(w.code(), "429", "1302", "1303", "1305"):
		status = http.StatusTooManyRequests
	case has(s, "invalid_request"):
		status = http.StatusBadRequest
	case has(s, "authentication", "invalid_api_key"):
		status = http.StatusUnauthorized
	}
	return m.classify(status, w)
}

// classify makes an error out of a status and the provider's words, and says
// whether asking again may help.
func (m *Model) classify(status int, w words) (*fault.Error, bool) {
	said, cause, who := strings.ToLower(w.all()), m.cause(status, w), "the provider "+m.provider
	switch {
	case status == http.StatusPaymentRequired || has(said, "insufficient_quota", "insufficient balance", "余额不足") || w.code() == "1113":
		return fault.Wrap(cause, fault.CodeProviderFailed, who+" wants to be paid first", "top up the account of "+env(m.provider, "API_KEY")), false
	case status == http.StatusTooManyRequests:
		return fault.Wrap(cause, fault.CodeProviderBusy, who+" takes no more requests for now", "wait a little and ask again"), true
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fault.Wrap(cause, fault.CodeProviderFailed, who+" refused the key", "check "+env(m.provider, "API_KEY")), false
	case has(said, "context_length", "context window", "maximum context", "too many tokens"):
		return m.tooLong(cause), false
	case status == http.StatusNotFound || has(said, "model_not_found"):
		return fault.Wrap(cause, fault.CodeProviderFailed, who+" does not know the model "+m.name+" at this address",
			"check "+env(m.provider, "MODEL")+" and "+env(m.provider, "URL")), false
	case status == http.StatusRequestTimeout || status == http.StatusGatewayTimeout || status == 524:
		return fault.Wrap(cause, fault.CodeProviderTime, who+" took too long", "try again"), true
	case status >= 500:
		return fault.Wrap(cause, fault.CodeProviderFailed, who+" has trouble of its own", "try again in a while"), status != http.StatusNotImplemented
	case status == http.StatusOK:
		return fault.Wrap(cause, fault.CodeProviderFailed, who+" broke off its answer", "ask again"), true
	}
	return fault.Wrap(cause, fault.CodeProviderFailed, who+" refused the request (status "+strconv.Itoa(status)+")",
		"its words are in the agent's log, with the request id"), false
}

func is(code string, known ...string) bool { return slices.Contains(known, code) }

func has(s string, words ...string) bool {
	for _, a := range words {
		if strings.Contains(s, a) {
			return true
		}
	}
	return false
}

// env is the variable that a hint names.
func env(provider, what string) string {
	if what == "URL" {
		switch provider {
		case OpenAI, Anthropic:
			what = "BASE_URL"
		case GLM, DeepSeek, Kimi:
			what = "API_URL"
		}
	}
	return strings.ToUpper(provider) + "_" + what
}

func badURL(provider string) *fault.Error {
	// The address itself stays out: it may hold a password.
	return fault.New(fault.CodeInvalidRequest, "the base URL of "+provider+" is no http or https address", "set "+env(provider, "URL")+" to something like https://host/v1")
}

// scrub is an error without secrets and without the address.
func (m *Model) scrub(err error) error { return m.secrets.Scrub(err) }

// clip makes a provider's words fit for a log.
func (m *Model) clip(s string) string { return m.secrets.Clip(s) }
