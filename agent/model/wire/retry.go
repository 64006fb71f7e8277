package wire

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A provider is asked again at most so often, and within so long.
const (
	maxRetries  = 2
	retryWindow = 10 * time.Second
	firstWait   = 400 * time.Millisecond
)

// RetryIn says when to ask again after a failure that may pass, and whether at
// all. tries is how often it was asked again already, passed how long ago the
// first time was, asked what the provider wants to be waited for.
func RetryIn(tries int, passed, asked time.Duration) (time.Duration, bool) {
	if tries >= maxRetries {
		return 0, false
	}
	wait := max(firstWait<<(2*tries), asked)
	return wait, passed+wait <= retryWindow
}

// RetryAfter reads when the provider wants to be asked again: seconds, a date,
// or milliseconds as OpenAI has them.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 {
		return bounded(ms / 1000)
	}
	s := strings.TrimSpace(h.Get("Retry-After"))
	if sec, err := strconv.ParseFloat(s, 64); err == nil && sec > 0 {
		return bounded(sec)
	}
	if t, err := http.ParseTime(s); err == nil {
		return bounded(t.Sub(now).Seconds())
	}
	return 0
}

// bounded keeps a provider's number of seconds sane: a day says "not today".
func bounded(sec float64) time.Duration {
	return time.Duration(min(max(sec, 0), 86400) * float64(time.Second))
}
