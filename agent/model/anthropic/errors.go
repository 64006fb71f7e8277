package anthropic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// ErrProtocol is in the chain of the error of a server that does not speak this
// protocol at all: another one may get an answer at the same address.
var ErrProtocol = errors.New("the server does not speak Anthropic's protocol")

var (
	errSilent   = errors.New("the provider is silent")
	errThinking = errors.New("the provider refuses the thinking that it is shown again")
)

// failure is why an exchange gave no answer.
type failure struct {
	*fault.Error
	retry bool // the same request may get an answer
}

func (m *Model) who() string { return "the provider " + provider }

func (m *Model) fails(cause error, code fault.Code, message, hint string) *failure {
	return &failure{Error: fault.Wrap(cause, code, message, hint)}
}

func (f *failure) again() *failure {
	f.retry = true
	return f
}

// refused is an answer with an error status.
func (m *Model) refused(status int, body []byte) *failure {
	var outer struct {
		Type  string          `json:"type"`
		Error json.RawMessage `json:"error"`
	}
	readable := json.Unmarshal(body, &outer) == nil
	said := wordsOf(outer.Error)
	if !m.genuine && (status == http.StatusNotFound || status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented) &&
		(!readable || outer.Type != "error") {
		return m.fails(fmt.Errorf("%w: status %d", ErrProtocol, status), fault.CodeProviderFailed, m.who()+" has nothing at this address (status "+strconv.Itoa(status)+")",
			"check ANTHROPIC_API_URL; where the server speaks OpenAI's protocol, set ANTHROPIC_PROTOCOL=openai")
	}
	if said.message == "" && len(outer.Error) == 0 && readable {
		said = wordsOf(body)
	}
	return m.classify(status, said)
}

// words are a provider's own words for an error.
type words struct{ kind, message string }

func wordsOf(raw json.RawMessage) words {
	var w struct {
		Type    string `json:"type"`
		Message string `json:"message"`
		Detail  string `json:"detail"`
	}
	if len(raw) == 0 {
		return words{}
	}
	if json.Unmarshal(raw, &w) != nil {
		var s string
		_ = json.Unmarshal(raw, &s)
		return words{message: s}
	}
	if w.Message == "" {
		w.Message = w.Detail
	}
	return words{w.Type, w.Message}
}

// statusOf is the status that goes with a kind of error, for an error that comes in
// the middle of a stream.
var statusOf = map[string]int{
	"invalid_request_error": 400, "authentication_error": 401, "billing_error": 402, "permission_error": 403,
	"not_found_error": 404, "request_too_large": 413, "rate_limit_error": 429, "api_error": 500,
	"timeout_error": 504, "overloaded_error": 529,
}

// inStream is an error that came in a stream that began well.
func (m *Model) inStream(raw json.RawMessage) *failure {
	w := wordsOf(raw)
	if status, known := statusOf[w.kind]; known {
		return m.classify(status, w)
	}
	return m.fails(errors.New("in the stream: "+m.secrets.Clip(w.kind+" "+w.message)), fault.CodeProviderFailed,
		m.who()+" broke off its answer", m.hint("ask again", w)).again()
}

// classify makes an error out of a status and the provider's words (its list of
// errors, and the wordings of its validation, as of October 2026).
func (m *Model) classify(status int, w words) *failure {
	cause := errors.New("status " + strconv.Itoa(status) + ": " + m.secrets.Clip(w.kind+" "+w.message))
	said := strings.ToLower(w.message)
	fails := func(code fault.Code, message, hint string) *failure {
		return m.fails(cause, code, m.who()+message, m.hint(hint, w))
	}
	switch {
	case status == http.StatusPaymentRequired || w.kind == "billing_error" || has(said, "credit balance", "usage limits", "spend limit", "purchase credits"):
		return fails(fault.CodeProviderFailed, " wants to be paid first", "top up the account of ANTHROPIC_API_KEY, or raise its spend limit")
	case status == http.StatusUnauthorized || w.kind == "authentication_error":
		return fails(fault.CodeProviderFailed, " refused the key", "check ANTHROPIC_API_KEY")
	case status == http.StatusRequestEntityTooLarge || w.kind == "request_too_large" || has(said, "prompt is too long", "exceed context limit", "exceeds the context", "context window", "maximum context", "input is too long", "too many total text bytes"):
		return m.tooLong(cause)
	case status == http.StatusForbidden && has(said, "region", "country", "location", "territor"):
		return fails(fault.CodeProviderFailed, " does not serve this region", "ask from a region that it serves, or use another provider")
	case status == http.StatusForbidden || w.kind == "permission_error":
		return fails(fault.CodeProviderFailed, " does not permit this", "check what ANTHROPIC_API_KEY may use, and ANTHROPIC_MODEL")
	case status == http.StatusNotFound || w.kind == "not_found_error":
		return fails(fault.CodeProviderFailed, " does not know the model "+m.name+" at this address", "check ANTHROPIC_MODEL and ANTHROPIC_API_URL")
	case status == http.StatusTooManyRequests || w.kind == "rate_limit_error":
		return fails(fault.CodeProviderBusy, " takes no more requests for now", "wait a little and ask again").again()
	case status == 529 || w.kind == "overloaded_error":
		return fails(fault.CodeProviderBusy, " is overloaded", "wait a little and ask again").again()
	case status == http.StatusRequestTimeout || status == http.StatusGatewayTimeout || status == 524 || w.kind == "timeout_error":
		return fails(fault.CodeProviderTime, " took too long", "try again, or ask for less at once").again()
	case status >= 500:
		return fails(fault.CodeProviderFailed, " has trouble of its own", "try again in a while").again()
	case has(said, "content filter", "output blocked"):
		return fails(fault.CodeProviderFailed, " refused this content", "say it in other words")
	case has(said, "thinking") && has(said, "signature", "cannot be modified", "block", "expected `thinking`"):
		f := fails(fault.CodeProviderFailed, " refused the thinking of an earlier answer", "send the message again; if it stays, start a new session")
		f.Error = fault.Wrap(fmt.Errorf("%w: %w", errThinking, cause), f.Code, f.Message, f.Hint)
		return f
	}
	return fails(fault.CodeProviderFailed, " refused the request (status "+strconv.Itoa(status)+")", "the request id finds it in the agent's log")
}

func (m *Model) tooLong(cause error) *failure {
	return m.fails(fmt.Errorf("%w: %w", loop.ErrTooLong, cause), fault.CodeProviderFailed,
		"the conversation is too long for the model "+m.name, "start a new session, or choose a model with a larger context")
}

// broken is an answer that stopped in the middle.
func (m *Model) broken(why string) *failure {
	return m.fails(errors.New(why), fault.CodeProviderFailed, m.who()+" broke off its answer", "ask again").again()
}

// foreign is a stream of another protocol.
func (m *Model) foreign() *failure {
	return m.fails(ErrProtocol, fault.CodeProviderFailed, m.who()+" answers in OpenAI's protocol", "set ANTHROPIC_PROTOCOL=openai, or let ANTHROPIC_API_URL end in /chat/completions")
}

// unreachable is a request that got no answer, or lost it on the way.
func (m *Model) unreachable(err error) *failure {
	var timeout interface{ Timeout() bool }
	if errors.Is(err, errSilent) || errors.Is(err, context.Canceled) || (errors.As(err, &timeout) && timeout.Timeout()) {
		// Canceled without the caller's doing is our own watch.
		return m.fails(errSilent, fault.CodeProviderTime, m.who()+" says nothing for "+m.timeout.String(),
			"try again; for a model that thinks long raise LLM_TIMEOUT")
	}
	return m.fails(m.secrets.Scrub(err), fault.CodeProviderFailed, "the connection to "+m.who()+" failed",
		"try again; if it stays, check ANTHROPIC_API_URL and the network").again()
}

// hint adds the provider's own first sentence to what is to be done.
func (m *Model) hint(todo string, w words) string {
	if s := firstSentence(m.secrets.Clip(w.message)); s != "" {
		return todo + `; it says: "` + s + `"`
	}
	return todo
}

// private are addresses, and what may be a key or the id of an account.
var private = regexp.MustCompile(`(?i)https?://\S+|\S+@\S+\.\S+|\b(?:sk|org|acct|wrkspc|req|key|user|proj)[-_][A-Za-z0-9_-]{6,}|\b[0-9a-f]{8}-[0-9a-f-]{20,}\b|[A-Za-z0-9+/_-]{32,}`)

// firstSentence is the first sentence of a provider's words, without what is not for
// everybody's eyes.
func firstSentence(s string) string {
	s = private.ReplaceAllString(s, "…")
	for i := range s {
		if strings.HasPrefix(s[i:], ". ") || strings.HasPrefix(s[i:], "。") {
			s = s[:i]
			break
		}
	}
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:197], "") + "…"
	}
	return strings.TrimSuffix(s, ".")
}

func has(s string, words ...string) bool {
	for _, a := range words {
		if strings.Contains(s, a) {
			return true
		}
	}
	return false
}
