package fault

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// codes is the contract's table, written a second time: a code whose status
// changes breaks clients.
var codes = map[Code]int{
	"invalid_request": 400, "invalid_json": 400, "missing_message": 400, "invalid_session": 400, "invalid_cursor": 400,
	"unknown_type": 400, "unsupported": 400, "unauthorized": 401, "forbidden": 403, "origin_refused": 403, "not_found": 404,
	"method_not_allowed": 405, "request_timeout": 408, "session_busy": 409, "conflict": 409, "too_large": 413,
	"unsupported_media_type": 415, "unsupported_media": 415, "idempotency_mismatch": 422, "rate_limited": 429, "too_many_runs": 429,
	"internal": 500, "session_damaged": 500, "newer_version": 409, "provider_failed": 502, "empty_answer": 502, "agent_failed": 502, "unavailable": 503, "draining": 503,
	"provider_busy": 503, "store_unavailable": 503, "provider_timeout": 504, "agent_timeout": 504, "cancelled": 499,
}

func TestStatusOfEachCode(t *testing.T) {
	for c, want := range codes {
		if got := New(c, "m", "h").Status(); got != want {
			t.Errorf("%s: got %d, want %d", c, got, want)
		}
	}
	for _, c := range Codes() {
		if _, ok := codes[c]; !ok {
			t.Errorf("%s is not in this table yet: a code is for ever", c)
		}
	}
	if len(Codes()) != len(codes) {
		t.Errorf("%d codes, want %d: one was taken away", len(Codes()), len(codes))
	}
	if got := Code("of a later release").Status(); got != 500 {
		t.Errorf("an unknown code: got %d, want 500", got)
	}
}

func TestCodeOfEachStatus(t *testing.T) {
	statuses := []int{}
	for _, s := range codes {
		statuses = append(statuses, s)
	}
	slices.Sort(statuses)
	for _, s := range slices.Compact(statuses) {
		c := CodeForStatus(s)
		if c.Status() != s {
			t.Errorf("%d gives %s, which is %d", s, c, c.Status())
		}
	}
	for _, s := range []int{0, 100, 200, 302, 418, 500, 507, 599, 1000} {
		if got := CodeForStatus(s); got != CodeInternal {
			t.Errorf("%d: got %s, want %s", s, got, CodeInternal)
		}
	}
}

var full = Wrap(errors.New("dial tcp 10.0.0.7:5432: password hunter2"), CodeStoreFailed, "the store did not answer <熊>", "send it again").
	With("req_1").After(1200 * time.Millisecond)

func TestGoldenJSON(t *testing.T) {
	for name, e := range map[string]*Error{
		"full":     full,
		"plain":    New(CodeNotFound, "Not found", ""),
		"internal": Internal(errors.New("runtime error: index out of range")),
	} {
		raw, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := json.Indent(&got, raw, "", "  "); err != nil {
			t.Fatal(err)
		}
		got.WriteByte('\n')
		path := filepath.Join("testdata", name+".json")
		if *update {
			if err := os.WriteFile(path, got.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("%v (go test -update writes it)", err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: got:\n%s\nwant:\n%s", name, got.Bytes(), want)
		}
		for c := errors.Unwrap(e); c != nil; c = nil {
			if bytes.Contains(raw, []byte(c.Error())) {
				t.Errorf("%s: the cause is on the wire: %s", name, raw)
			}
		}
	}
}

// The cause stays on this side, however the error is written down for a client.
func TestTheCauseIsNeverInJSON(t *testing.T) {
	const secret = "hunter2"
	for name, v := range map[string]any{
		"pointer":   full,
		"value":     *full,
		"in a list": []any{full},
		"a field":   struct{ E Error }{*full},
		"wrapped":   From(fmt.Errorf("request 7: %w", full)),
		"a copy":    full.With("x").After(0),
		"foreign":   From(errors.New(secret)),
	} {
		b, err := json.Marshal(v)
		if err != nil || strings.Contains(string(b), secret) {
			t.Errorf("%s: got %s, %v", name, b, err)
		}
		if !strings.Contains(string(b), `"code"`) {
			t.Errorf("%s: got %s, which is not the contract's form", name, b)
		}
	}
	if !strings.Contains(full.Error(), secret) {
		t.Errorf("the log lacks the cause: %s", full.Error())
	}
}

func TestErrorsCrossTheWire(t *testing.T) {
	b, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	got := FromResponse(full.Status(), b)
	want := Error{Code: full.Code, Message: full.Message, Hint: full.Hint, RequestID: "req_1", RetryAfter: 2 * time.Second}
	if *got != want {
		t.Errorf("got %+v, want %+v", *got, want)
	}
	for _, body := range []string{"", "null", "{}", "<html>502</html>", `{"error":"x"}`, `{"error":7,"code":"not_found"}`, `[]`} {
		got := FromResponse(http.StatusServiceUnavailable, []byte(body))
		if got.Code != CodeUnavailable || got.Message == "" || got.Hint == "" || strings.Contains(got.Message, "html") {
			t.Errorf("%q: got %+v", body, got)
		}
	}
	if got := FromResponse(500, []byte(`{"error":"m","code":"of_a_later_release"}`)); got.Code != "of_a_later_release" || got.Status() != 500 {
		t.Errorf("a later release's code is lost: %+v", got)
	}
}

func TestFrom(t *testing.T) {
	if From(nil) != nil || CodeOf(nil) != "" {
		t.Error("no error became one")
	}
	if got := From(fmt.Errorf("a: %w", fmt.Errorf("b: %w", full))); got != full {
		t.Errorf("got %v", got)
	}
	cause := errors.New("x")
	got := From(cause)
	if got.Code != CodeInternal || !errors.Is(got, cause) || got.Hint == "" {
		t.Errorf("got %+v", got)
	}
	if got := CodeOf(fmt.Errorf("a: %w", full)); got != CodeStoreFailed {
		t.Errorf("got %s", got)
	}
}

func TestRetrySeconds(t *testing.T) {
	for _, c := range []struct {
		code   Code
		after  time.Duration
		header int
		json   int
	}{
		{CodeRateLimited, 0, 1, 0}, // the header is promised, the wait is not known
		{CodeUnavailable, 0, 1, 0},
		{CodeSessionBusy, 0, 1, 0},
		{CodeConflict, 0, 0, 0},
		{CodeInternal, 0, 0, 0},
		{CodeRateLimited, time.Nanosecond, 1, 1},
		{CodeRateLimited, time.Second, 1, 1},
		{CodeRateLimited, time.Second + 1, 2, 2},
		{CodeConflict, 90 * time.Second, 90, 90},
		{CodeDraining, -5 * time.Second, 1, 0},
		{CodeConflict, -5 * time.Second, 0, 0},
	} {
		e := New(c.code, "m", "h").After(c.after)
		var wire struct{ RetryAfter int }
		b, err := json.Marshal(e)
		if err == nil {
			err = json.Unmarshal(b, &wire)
		}
		if err != nil || e.RetrySeconds() != c.header || wire.RetryAfter != c.json {
			t.Errorf("%s after %v: got header %d, JSON %d, %v, want %d, %d", c.code, c.after, e.RetrySeconds(), wire.RetryAfter, err, c.header, c.json)
		}
	}
}

func TestCopiesLeaveTheOriginal(t *testing.T) {
	e := New(CodeNotFound, "m", "h")
	if e.With("r").RequestID != "r" || e.After(time.Second).RetryAfter != time.Second || e.RequestID != "" || e.RetryAfter != 0 || e.Because(errors.New("c")).Unwrap() == nil || e.Unwrap() != nil {
		t.Errorf("got %+v", e)
	}
}
