package wire

import (
	"context"
	"net/http"
	"regexp"
	"time"
)

// Client makes a copy that follows no redirect: one would carry the
// conversation, and on the same host the key, to where nobody sent it. nil is a
// client of its own.
func Client(c *http.Client) *http.Client {
	if c == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = 64 // all runs talk to one host
		c = &http.Client{Transport: t}
	}
	own := *c
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// requestIDs are the ids that a provider is told: those that the gateway takes.
var requestIDs = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// IsRequestID reports whether a provider may be told a request's id.
func IsRequestID(id string) bool { return requestIDs.MatchString(id) }

// Sleep waits, and reports whether it did so to the end.
func Sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
