package wire

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestRetryIn(t *testing.T) {
	for _, c := range []struct {
		tries         int
		passed, asked time.Duration
		want          time.Duration
		again         bool
	}{
		{0, 0, 0, 400 * time.Millisecond, true},
		{1, time.Second, 0, 1600 * time.Millisecond, true},
		{0, 0, 5 * time.Second, 5 * time.Second, true},
		{0, 6 * time.Second, 5 * time.Second, 0, false},
		{2, 0, 0, 0, false},
	} {
		got, again := RetryIn(c.tries, c.passed, c.asked)
		if again != c.again || (again && got != c.want) {
			t.Errorf("after %d tries in %v: %v, %v; want %v, %v", c.tries, c.passed, got, again, c.want, c.again)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for name, c := range map[string]struct {
		field, value string
		want         time.Duration
	}{
		"seconds":      {"Retry-After", "7", 7 * time.Second},
		"a date":       {"Retry-After", now.Add(9 * time.Second).Format(http.TimeFormat), 9 * time.Second},
		"milliseconds": {"Retry-After-Ms", "250", 250 * time.Millisecond},
		"nothing":      {"Retry-After", "", 0},
		"no number":    {"Retry-After", "soon", 0},
		"a year":       {"Retry-After", "31536000", 24 * time.Hour},
		"the past":     {"Retry-After", now.Add(-time.Hour).Format(http.TimeFormat), 0},
	} {
		if got := RetryAfter(http.Header{c.field: {c.value}}, now); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestSecretsAreHidden(t *testing.T) {
	u, err := url.Parse("https://user:pa%2Fss@host/v1?key=query-secret")
	if err != nil {
		t.Fatal(err)
	}
	s := SecretsOf("Sk-Canary", u)
	got := s.Scrub(&url.Error{Op: "Post", URL: u.String(), Err: errors.New("Sk-Canary sk-canary user pa/ss pa%2Fss query-secret refused " + strings.Repeat("x", 400))}).Error()
	for _, secret := range []string{"anary", "user", "pa/ss", "pa%2Fss", "query-secret", "https"} {
		if strings.Contains(got, secret) {
			t.Errorf("%q holds %q", got, secret)
		}
	}
	if !strings.Contains(got, "refused") || len(got) > 310 {
		t.Errorf("%q of %d bytes, want the rest, clipped", got, len(got))
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	if err := Client(nil).CheckRedirect(nil, nil); !errors.Is(err, http.ErrUseLastResponse) {
		t.Errorf("a redirect gives %v", err)
	}
	given := &http.Client{}
	if Client(given); given.CheckRedirect != nil {
		t.Error("the caller's client was changed")
	}
}
