package chat

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

func TestCheckSession(t *testing.T) {
	for id, ok := range map[string]bool{
		"default": true, "工作 1": true, "a.b": true, "...": true, " ": true, "🐉": true, "%2e%2e": true, "all": true,
		strings.Repeat("x", MaxID): true, strings.Repeat("x", MaxID+1): false, strings.Repeat("熊", 43): false,
		"": false, ".": false, "..": false, "../x": false, "a/b": false, `a\b`: false, "/": false,
		"a\x00b": false, "a\nb": false, "a\x7fb": false, "a\u0085b": false, "a\xffb": false,
	} {
		err := CheckSession(id)
		if (err == nil) != ok || (err != nil && fault.CodeOf(err) != fault.CodeInvalidSession) {
			t.Errorf("%q: got %v, want ok %v", id, err, ok)
		}
	}
}

func TestCheckMessage(t *testing.T) {
	for text, want := range map[string]fault.Code{
		"hi": "", " x ": "", strings.Repeat("a", MaxMessage): "", "a\x00b": "",
		"": fault.CodeMissingMessage, " \t\n\u3000": fault.CodeMissingMessage,
		strings.Repeat("a", MaxMessage+1): fault.CodeTooLarge, "a\xff": fault.CodeInvalidRequest,
	} {
		if got := fault.CodeOf(CheckMessage(text)); got != want {
			t.Errorf("%.20q: got %q, want %q", text, got, want)
		}
	}
}

func TestTimesAreUTCWithMilliseconds(t *testing.T) {
	east := time.FixedZone("", 8*3600)
	got := At(time.Date(2026, 1, 2, 3, 4, 5, 678_999_999, east))
	if want := "2026-01-01T19:04:05.678Z"; got.String() != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var back Time
	if err := json.Unmarshal([]byte(`"2026-01-02T03:04:05.678999+08:00"`), &back); err != nil || back != got {
		t.Errorf("got %v, %v, want %v", back, err, got)
	}
	for _, bad := range []string{`7`, `""`, `"yesterday"`, `"2026-01-02"`, `{}`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s was taken as a time", bad)
		}
	}
}

func TestUsageAdds(t *testing.T) {
	a, b := &Usage{1, 2, 3, 1, 2}, &Usage{10, 20, 30, 10, 20}
	if got := a.Add(b); *got != (Usage{11, 22, 33, 11, 22}) || *a != (Usage{1, 2, 3, 1, 2}) {
		t.Errorf("got %v and left %v", got, a)
	}
	var none *Usage
	if none.Add(a) != a || a.Add(nil) != a || none.Add(nil) != nil {
		t.Error("a missing count changes the other one")
	}
}

func TestTextOfAnEvent(t *testing.T) {
	if got := (&Event{}).Text(); got != "" {
		t.Errorf("got %q", got)
	}
	if got := (&Event{Content: Text("x")}).Text(); got != "x" {
		t.Errorf("got %q", got)
	}
}
