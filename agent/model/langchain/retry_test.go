package langchain

import (
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func TestRetry(t *testing.T) {
	ok := modeltest.Reply{Text: "at last"}
	status := func(n int, after string) modeltest.Reply { return modeltest.Reply{Status: n, RetryAfter: after} }
	for name, c := range map[string]struct {
		replies  []modeltest.Reply
		requests int
		code     fault.Code
		after    time.Duration
		took     time.Duration
	}{
		"once":                         {[]modeltest.Reply{status(500, ""), ok}, 2, "", 0, 400 * time.Millisecond},
		"twice":                        {[]modeltest.Reply{status(503, ""), status(429, ""), ok}, 3, "", 0, 2 * time.Second},
		"never a third time":           {[]modeltest.Reply{status(500, ""), status(500, ""), status(500, ""), ok}, 3, fault.CodeProviderFailed, 0, 2 * time.Second},
		"Retry-After is kept to":       {[]modeltest.Reply{status(429, "3"), ok}, 2, "", 0, 3 * time.Second},
		"not beyond 10 s":              {[]modeltest.Reply{status(429, "11"), ok}, 1, fault.CodeProviderBusy, 11 * time.Second, 0},
		"not beyond 10 s in all":       {[]modeltest.Reply{status(429, "6"), status(429, "6"), ok}, 2, fault.CodeProviderBusy, 6 * time.Second, 6 * time.Second},
		"error before the first token": {[]modeltest.Reply{{Fault: modeltest.FaultError}, ok}, 2, "", 0, 400 * time.Millisecond},
		"cut before the first token":   {[]modeltest.Reply{{Fault: modeltest.FaultCut}, ok}, 2, "", 0, 400 * time.Millisecond},
		"not a refused key":            {[]modeltest.Reply{status(401, ""), ok}, 1, fault.CodeProviderFailed, 0, 0},
		"not a bad request":            {[]modeltest.Reply{status(400, ""), ok}, 1, fault.CodeProviderFailed, 0, 0},
		"not an empty account":         {[]modeltest.Reply{{Status: 429, Body: `{"error":{"code":"1113","message":"余额不足"}}`}, ok}, 1, fault.CodeProviderFailed, 0, 0},
		"the provider's 504":           {[]modeltest.Reply{status(504, ""), status(504, ""), status(504, "")}, 3, fault.CodeProviderTime, 0, 2 * time.Second},
		"no redirect":                  {[]modeltest.Reply{status(307, "")}, 1, fault.CodeProviderFailed, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Config{}, func(t *testing.T, s *modeltest.Server, m *Model) {
				s.Script(c.replies...)
				got := ask(t, t.Context(), m, hello())
				if fault.CodeOf(got.err) != c.code {
					t.Fatalf("error %v, want code %q", got.err, c.code)
				}
				if c.code == "" && got.Text != "at last" {
					t.Errorf("text %q", got.Text)
				}
				if c.after > 0 && fault.From(got.err).RetryAfter != c.after {
					t.Errorf("RetryAfter %v, want %v", fault.From(got.err).RetryAfter, c.after)
				}
				if n := len(s.Requests()); n != c.requests {
					t.Errorf("%d requests, want %d", n, c.requests)
				}
				if got.took.Truncate(100*time.Millisecond) != c.took { // beside the pace in which a stream is read
					t.Errorf("took %v, want %v", got.took, c.took)
				}
			})
		})
	}
}
