package client

import (
	"fmt"
	"strings"
	"testing"
)

const stamp = `"timestamp":"2026-01-01T00:00:00.000Z"`

// ev makes an event with a cursor.
func ev(t *testing.T, cursor, typ, rest string) Event {
	t.Helper()
	raw := fmt.Sprintf(`{"type":%q,"sessionId":"s","runId":"r","cursor":%q,%s%s}`, typ, cursor, stamp, rest)
	e, err := parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestLedger(t *testing.T) {
	chunk := func(c, text string) Event {
		return ev(t, c, "message_chunk", fmt.Sprintf(`,"messageId":"m","content":%q`, text))
	}
	complete := func(text string) Event {
		return ev(t, "9", "message_complete", fmt.Sprintf(`,"messageId":"m","role":"assistant","content":%q`, text))
	}
	thought := func(c string, offset int, text string) Event {
		return ev(t, c, "reasoning_chunk", fmt.Sprintf(`,"messageId":"m","offset":%d,"content":%q`, offset, text))
	}
	todo := func(c string) Event { return ev(t, c, "todo", `,"items":[]`) }
	calls := func(c string) Event { return ev(t, c, "client_calls", `,"calls":[]`) }
	started := ev(t, "1", "run_started", "")
	again := ev(t, "5", "run_started", `,"restarted":true`)
	end := ev(t, "10", "run_finished", `,"status":"done"`)
	for _, tt := range []struct {
		name   string
		events []Event
		want   string // in the error; empty is none
	}{
		{"a good run", []Event{started, chunk("2", "你"), chunk("3", "好"), complete("你好"), end}, ""},
		{"an empty answer", []Event{started, complete(""), end}, ""},
		{"a restart", []Event{started, chunk("2", "half"), again, chunk("6", "whole"), complete("whole"), end}, ""},
		{"a restart whose text stays", []Event{started, chunk("2", "half"), chunk("6", "whole"), complete("whole")}, "chunks join to"},
		{"a lost chunk", []Event{started, chunk("2", "你"), complete("你好")}, "chunks join to"},
		{"a doubled chunk", []Event{started, chunk("2", "你"), chunk("2", "你"), complete("你")}, "chunks join to"},
		{"half a character", []Event{started, chunk("2", "\uFFFD")}, "half a character"},
		{"finished twice", []Event{started, end, end}, "came twice"},
		{"text after the end", []Event{started, end, chunk("11", "x")}, "after its run finished"},
		{"reasoning in pieces", []Event{started, thought("1", 0, "你"), thought("1", 3, "好"), chunk("2", "x"), complete("x"), end}, ""},
		{"reasoning that begins anew", []Event{started, thought("1", 0, "half"), thought("1", 0, "half of it"), complete(""), end}, ""},
		{"doubled reasoning", []Event{started, thought("1", 0, "a"), thought("1", 1, "b"), thought("1", 1, "b")}, "at byte 1 where 2 came"},
		{"lost reasoning", []Event{started, thought("1", 3, "b")}, "at byte 3 where 0 came"},
		{"reasoning after the end", []Event{started, end, thought("11", 0, "x")}, "after its run finished"},
		{"two lists in one run", []Event{started, todo("2"), todo("3"), end}, ""},
		{"two rounds of a client's calls", []Event{started, calls("2"), calls("3"), end}, ""},
		{"a doubled list", []Event{started, todo("2"), todo("2")}, "came twice"},
		{"a doubled event", []Event{started, started}, "came twice"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := NewLedger()
			var err error
			for _, e := range tt.events {
				if err = l.Take(e); err != nil {
					break
				}
			}
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestParseHoldsEventsToTheProtocol(t *testing.T) {
	for _, raw := range []string{
		`{}`, `not json`, `{"type":"pong","cursor":"c"}`,
		`{"type":"message","sessionId":"s",` + stamp + `}`,
		`{"type":"message","cursor":"c",` + stamp + `}`,
		`{"type":"message","cursor":"c","sessionId":"s"}`,
	} {
		if _, err := parse([]byte(raw)); err == nil {
			t.Errorf("%s passes", raw)
		}
	}
	for _, raw := range []string{`{"type":"pong"}`, `{"type":"later","cursor":"c","sessionId":"s",` + stamp + `}`} {
		if _, err := parse([]byte(raw)); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

func TestFaultOfAnEventAndOfAFrame(t *testing.T) {
	e := ev(t, "1", "run_finished", `,"status":"failed","error":{"error":"text","code":"provider_failed","hint":"h"}`)
	if f := e.Fault(); f.Code != "provider_failed" || f.Error != "text" {
		t.Errorf("got %+v", f)
	}
	e, err := parse([]byte(`{"type":"error","error":"text","code":"unknown_type"}`))
	if f := e.Fault(); err != nil || f.Code != "unknown_type" || f.Error != "text" {
		t.Errorf("got %+v, %v", f, err)
	}
}
