package refusal

import (
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/providers"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Who was asked. Clip makes a provider's words fit for a log: bounded and without
// the configured secrets.
type Who struct {
	Provider, Model string
	Clip            func(string) string
}

// Fault is the refusal as an error for the user, and whether asking again may help.
func (w *Words) Fault(who Who) (*fault.Error, bool) {
	kind, name := w.Kind(), "the provider "+who.Provider
	spec, _ := providers.Find(who.Provider)
	of := func(code fault.Code, what, hint string) *fault.Error {
		return fault.Wrap(w.cause(who), code, what, hint)
	}
	switch kind {
	case TooLong:
		return fault.Wrap(errors.Join(loop.ErrTooLong, w.cause(who)), fault.CodeProviderFailed, "the conversation is too long for the model "+who.Model,
			"start a new session, choose a model with a larger context, or set LLM_CONTEXT_TOKENS to what it takes"), false
	case MustPay:
		return of(fault.CodeProviderFailed, name+" wants to be paid first", "top up the account of "+spec.Key()), false
	case Key:
		return of(fault.CodeProviderFailed, name+" refused the key", "check "+spec.Key()+", and that its account may use the model "+who.Model), false
	case Region:
		return of(fault.CodeProviderFailed, name+" does not serve the region that this agent is in", "use another provider, or an address of this one for your region with "+spec.URL()), false
	case Content:
		return of(fault.CodeProviderFailed, name+" refused to go on with this content", "say it in other words"), false
	case NoTools:
		return of(fault.CodeProviderFailed, "the model "+who.Model+" cannot call tools", "choose one that can with "+spec.ModelVariable()), false
	case NoModel:
		return of(fault.CodeProviderFailed, name+" does not know the model "+who.Model+" at this address", "check "+spec.ModelVariable()+" and "+spec.URL()), false
	case Busy:
		return of(fault.CodeProviderBusy, name+" takes no more requests for now", "wait a little and ask again"), true
	case Overloaded:
		return of(fault.CodeProviderBusy, name+" is overloaded", "wait a little and ask again, or name a second provider in LLM_PROVIDER"), true
	case TimedOut:
		return of(fault.CodeProviderTime, name+" took too long", "try again"), true
	case Trouble:
		return of(fault.CodeProviderFailed, name+" has trouble of its own", "try again in a while"), w.Status != http.StatusNotImplemented
	}
	return w.unknown(who)
}

// unknown is a refusal that the table does not know: the provider's own first
// sentence says more than we could.
func (w *Words) unknown(who Who) (*fault.Error, bool) {
	hint := "the provider's words: " + Sentence(who.clip(w.Message))
	if w.Message == "" {
		hint = "the provider gave no reason"
	}
	what := "the provider " + who.Provider + " refused the request (status " + strconv.Itoa(w.Status) + ")"
	if w.Status == http.StatusOK {
		what = "the provider " + who.Provider + " answered with an error"
	}
	return fault.Wrap(w.cause(who), fault.CodeProviderFailed, what, hint), w.Status == http.StatusOK
}

func (w *Words) cause(who Who) error {
	s := "status " + strconv.Itoa(w.Status)
	if w.Status == http.StatusOK {
		s = "in the answer"
	}
	return errors.New(s + ": " + who.clip(w.All()))
}

func (w Who) clip(s string) string {
	if w.Clip == nil {
		return s
	}
	return w.Clip(s)
}

// What of a provider's sentence a client must not see: addresses, mail addresses,
// keys, and ids of accounts, projects and requests.
var private = regexp.MustCompile(strings.Join([]string{
	`[A-Za-z][A-Za-z0-9+.-]*://\S+`,
	`\b[\w.+-]+@[\w-]+\.[\w.-]+`,
	`\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b`,
	`\[?\b[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){3,7}\b\]?`,
	`\b(?:[a-z0-9-]+\.)+(?:com|net|org|io|ai|cn|dev|internal|local)\b(?::\d+)?`,
	`\b(?:sk|pk|key|org|proj|acct|user|req|gsk|xai|AIza|ak|Bearer)[-_][\w-]{4,}[\w*.-]*`,
	`\bAIza[\w-]{8,}`,
	`\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b`,
	`\b[\w*-]*\d[\w*-]{15,}`,
	`\b\d{9,}\b`,
	`\S*\*{3,}\S*`,
}, "|"))

// maxSentence is how much of a provider's words a client sees, in bytes.
const maxSentence = 200

// Sentence is the first sentence of a text, bounded, on one line, and without what
// tells of keys, accounts and addresses.
func Sentence(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	s = private.ReplaceAllString(s, "…")
	for _, end := range []string{". ", "。", "! ", "！", "? ", "？"} {
		if i := strings.Index(s, end); i > 0 {
			s = s[:i+len(strings.TrimRight(end, " "))]
		}
	}
	if len(s) > maxSentence {
		s = strings.ToValidUTF8(s[:maxSentence-len("…")], "") + "…"
	}
	return s
}
