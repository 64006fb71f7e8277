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

	"github.com/loongclaw/loongclaw/agent/model/refusal"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// ErrProtocol is in the chain of the error of a server that does not speak this
// protocol at all: another one may get an answer at the same address.
var ErrProtocol = errors.New("the server does not speak Anthropic's protocol")

var (
	errSilent   = errors.New("the provider is silent")
	errThinking = errors.New("the provider refuses the thinking that it is shown again")
)

const who = "the provider " + provider

// failure is why an exchange gave no answer.
type failure struct {
	*fault.Error
	bad   bool // the provider refuses something of the request
	retry bool // the same request may get an answer
	room  int  // so many tokens the window leaves for an answer, where the limit asked for more
}

func fails(cause error, code fault.Code, message, hint string) *failure {
	return &failure{Error: fault.Wrap(cause, code, message, hint)}
}

func (f *failure) again() *failure {
	f.retry = true
	return f
}

// refused is an answer with an error status.
func (m *Model) refused(status int, body []byte) *failure {
	w := refusal.Parse(status, body)
	switch {
	case !m.genuine && isElsewhere(status, body):
		return fails(fmt.Errorf("%w: status %d", ErrProtocol, status), fault.CodeProviderFailed, who+" has nothing at this address (status "+strconv.Itoa(status)+")",
			"check ANTHROPIC_BASE_URL; where the server speaks OpenAI's protocol, set ANTHROPIC_PROTOCOL=openai")
	case status == http.StatusBadRequest && isAboutThinking(w.Message):
		return fails(fmt.Errorf("%w: %s", errThinking, m.secrets.Clip(w.All())), fault.CodeProviderFailed, who+" refused the thinking of an earlier answer",
			"send the message again; if it stays, start a new session")
	}
	f := m.because(&w)
	f.room, f.bad = roomIn(w.Message), status == http.StatusBadRequest || status == http.StatusUnprocessableEntity
	return f
}

// The older models refuse a prompt whose answer could pass their window: the prompt's
// tokens, the limit and the window.
var noRoom = regexp.MustCompile(`exceed context limit: (\d{1,9}) \+ \d{1,9} > (\d{1,9})`)

// roomIn is how many tokens such a refusal leaves for an answer, 0 where it is another.
func roomIn(message string) int {
	n := noRoom.FindStringSubmatch(message)
	if n == nil {
		return 0
	}
	prompt, _ := strconv.Atoi(n[1]) // digits are all that they are
	window, _ := strconv.Atoi(n[2])
	return max(window-prompt, 0)
}

// isElsewhere reports whether a refusal is that of a server that has no such path.
func isElsewhere(status int, body []byte) bool {
	var e struct {
		Type string `json:"type"`
	}
	switch status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return json.Unmarshal(body, &e) != nil || e.Type != "error"
	}
	return false
}

// isAboutThinking knows the refusals of thinking that came back: changed, missing, or
// bound to something else.
func isAboutThinking(message string) bool {
	s := strings.ToLower(message)
	if !strings.Contains(s, "thinking` block") && !strings.Contains(s, "thinking block") && !strings.Contains(s, "`thinking` or `redacted_thinking`") {
		return false
	}
	for _, known := range []string{"signature", "cannot be modified", "expected `thinking`", "must start with a thinking block", "cannot be `thinking`", "invalid `data`"} {
		if strings.Contains(s, known) {
			return true
		}
	}
	return false
}

// because is what a refusal means, by the one table of all providers.
func (m *Model) because(w *refusal.Words) *failure {
	f, retry := w.Fault(refusal.Who{Provider: provider, Model: m.name, Clip: m.secrets.Clip})
	return &failure{Error: f, retry: retry}
}

// inStream is an error that came in an answer that began well.
func (m *Model) inStream(raw []byte) *failure {
	w := refusal.Parse(http.StatusOK, raw)
	return m.because(&w)
}

func (m *Model) tooLong(said string) *failure {
	return m.because(&refusal.Words{Status: http.StatusOK, Code: "context_length_exceeded", Message: said})
}

// broken is an answer that stopped in the middle.
func broken(why string) *failure {
	return fails(errors.New(why), fault.CodeProviderFailed, who+" broke off its answer", "ask again").again()
}

// foreign is a stream of another protocol.
func foreign() *failure {
	return fails(ErrProtocol, fault.CodeProviderFailed, who+" answers in OpenAI's protocol", "set ANTHROPIC_PROTOCOL=openai, or let ANTHROPIC_BASE_URL end in /chat/completions")
}

func webPage() *failure {
	return fails(errors.New("text/html"), fault.CodeProviderFailed, who+" answered with a web page", "check ANTHROPIC_BASE_URL: it should be something like https://host/v1")
}

// unreachable is a request that got no answer, or lost it on the way.
func (m *Model) unreachable(err error) *failure {
	var timeout interface{ Timeout() bool }
	if errors.Is(err, errSilent) || errors.Is(err, context.Canceled) || (errors.As(err, &timeout) && timeout.Timeout()) {
		// Canceled without the caller's doing is our own watch.
		return fails(errSilent, fault.CodeProviderTime, who+" says nothing for "+m.timeout.String(),
			"try again; for a model that thinks longer before its first word, raise LLM_TIMEOUT")
	}
	return fails(m.secrets.Scrub(err), fault.CodeProviderFailed, "the connection to "+who+" failed",
		"try again; if it stays, check ANTHROPIC_BASE_URL and the network").again()
}
