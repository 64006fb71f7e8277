package native

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/gateway/edge"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTeamKeysAreKeptAnHour(t *testing.T) {
	const url = "https://team.example.com/cdn-cgi/access/certs"
	now, asked, text := time.Unix(1_800_000_000, 0), 0, "one"
	k := &accessKeys{now: func() time.Time { return now }, web: roundTrip(func(r *http.Request) (*http.Response, error) {
		asked++
		if r.URL.String() != url {
			t.Errorf("asked %s", r.URL)
		}
		if text == "" {
			return nil, errors.New("down")
		}
		status := 200
		if text == "redirect" {
			status = 302
		}
		return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(text))}, nil
	})}
	for _, step := range []struct {
		after   time.Duration
		text    string
		refresh bool
		want    string
		asked   int
	}{
		{0, "", false, "", 1},                                 // not there yet
		{time.Second, "one", false, "", 1},                    // too soon to try again
		{4 * time.Second, "one", false, "one", 2},             // now
		{29 * time.Minute, "two", false, "one", 2},            // kept
		{0, "two", true, "two", 3},                            // an unknown kid
		{59 * time.Second, "three", true, "two", 3},           // at most once a minute
		{time.Second, "three", true, "three", 4},              //
		{40 * time.Minute, "", false, "three", 5},             // old, and a failure shuts nobody out
		{30 * time.Second, "", false, "three", 5},             //
		{19 * time.Minute, "redirect", false, "three", 6},     // not followed
		{31 * time.Second, "", false, "", 7},                  // an hour is the end
		{5 * time.Second, "four", false, "four", 8},           //
		{time.Hour, strings.Repeat("x", 1<<17), false, "", 9}, // too much is nothing
	} {
		now, text = now.Add(step.after), step.text
		got, err := k.answer(t.Context(), edge.KeysQuestion{URL: url, Refresh: step.refresh})
		if got.JSON != step.want || got.Refreshed != step.refresh || asked != step.asked {
			t.Errorf("%+v: got %+v (%v) after %d fetches", step, got, err, asked)
		}
	}
}
