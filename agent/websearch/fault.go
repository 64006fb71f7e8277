package websearch

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Kind is what went wrong.
type Kind string

// The kinds.
const (
	KindKey      Kind = "key"      // the provider does not take the key
	KindQuota    Kind = "quota"    // nothing is left of what was paid for
	KindBusy     Kind = "busy"     // too many searches; Wait says how long
	KindQuery    Kind = "query"    // it does not take this query
	KindFormat   Kind = "format"   // it gives no JSON
	KindEngines  Kind = "engines"  // none of its engines answered
	KindFailed   Kind = "failed"   // it failed inside
	KindOdd      Kind = "odd"      // what came is no answer of a search
	KindRedirect Kind = "redirect" // it is elsewhere
	KindTooLarge Kind = "large"    // the answer is beyond what is read
	KindLate     Kind = "late"     // no answer in time
	KindReach    Kind = "reach"    // it cannot be reached
)

// Error is why there are no results. Its text is for the model and the user; it
// holds nothing that came from the provider.
type Error struct {
	Kind     Kind
	Provider string
	Variable string // that the owner looks at
	Wait     time.Duration
	cause    error
}

func (e *Error) Unwrap() error { return e.cause }

func (e *Error) Error() string {
	switch e.Kind {
	case KindKey:
		return fmt.Sprintf("the search provider %s does not take its key; tell the owner to check %s", e.Provider, e.Variable)
	case KindQuota:
		return fmt.Sprintf("the account at the search provider %s is used up; tell the owner, and go on without a search", e.Provider)
	case KindBusy:
		if e.Wait > 0 {
			return fmt.Sprintf("the search provider %s takes no more searches for %v; go on without, or search again after that", e.Provider, e.Wait)
		}
		return fmt.Sprintf("the search provider %s takes no more searches now; search again later", e.Provider)
	case KindQuery:
		return fmt.Sprintf("the search provider %s does not take this query; put it more simply", e.Provider)
	case KindFormat:
		return fmt.Sprintf("the search provider %s gives no JSON; tell the owner to add json to search.formats in its settings.yml", e.Provider)
	case KindEngines:
		return fmt.Sprintf("none of the engines of the search provider %s answered; search again later", e.Provider)
	case KindOdd:
		return fmt.Sprintf("what the search provider %s sent is no answer of a search; tell the owner to check %s", e.Provider, e.Variable)
	case KindRedirect:
		return fmt.Sprintf("the search provider %s answers with a redirect, which is not followed; tell the owner to set %s to where it leads", e.Provider, e.Variable)
	case KindTooLarge:
		return fmt.Sprintf("the search provider %s sent more than %d bytes; ask for fewer results", e.Provider, maxAnswer)
	case KindLate:
		return fmt.Sprintf("the search provider %s did not answer in time; search again later", e.Provider)
	case KindReach:
		return fmt.Sprintf("the search provider %s cannot be reached; try again later, and tell the owner if it stays so", e.Provider)
	}
	return fmt.Sprintf("the search provider %s failed; search again later", e.Provider)
}

// ofStatus is what a status means that says all there is.
func ofStatus(status int) *Error {
	switch {
	case status == 401, status == 403:
		return &Error{Kind: KindKey}
	case status == 402, status == 432, status == 433: // the latter two are Tavily's
		return &Error{Kind: KindQuota}
	case status == 429:
		return &Error{Kind: KindBusy}
	case status == 400, status == 413, status == 414, status == 422:
		return &Error{Kind: KindQuery}
	case status/100 == 3:
		return &Error{Kind: KindRedirect}
	case status/100 == 5:
		return &Error{Kind: KindFailed}
	}
	return &Error{Kind: KindOdd}
}

// maxWait is the longest wait that is worth telling; what is longer may be a slip.
const maxWait = 24 * time.Hour

// waitOf returns how long an answer asks to wait; 0 where it does not say.
func waitOf(h http.Header, now time.Time) time.Duration {
	wait := time.Duration(0)
	if text := strings.TrimSpace(h.Get("Retry-After")); text != "" {
		if at, err := http.ParseTime(text); err == nil {
			wait = at.Sub(now)
		} else {
			wait = seconds(text)
		}
	} else { // Brave's: of the second, then of the month
		first, _, _ := strings.Cut(h.Get("X-RateLimit-Reset"), ",")
		wait = seconds(first)
	}
	return min(max(wait, 0), maxWait).Round(time.Second)
}

func seconds(text string) time.Duration {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !(n > 0) {
		return 0
	}
	return time.Duration(min(n, maxWait.Seconds()) * float64(time.Second))
}
