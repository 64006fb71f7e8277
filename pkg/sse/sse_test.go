package sse

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestAppendWritesWhatTheStandardHas(t *testing.T) {
	for _, c := range []struct {
		e    Event
		want string
	}{
		{Event{ID: "c1", Type: "message", Data: []byte(`{"a":1}`)}, "id: c1\nevent: message\ndata: {\"a\":1}\n\n"},
		{Event{Data: []byte("a\nb\n")}, "data: a\ndata: b\ndata: \n\n"},
		{Event{}, "data: \n\n"},
		{Event{ID: "x\n\ndata: forged", Type: "a\r\nid: forged\x00", Data: []byte("d")}, "id: xdata: forged\nevent: aid: forged\ndata: d\n\n"},
	} {
		if got := string(Append([]byte("before|"), c.e)); got != "before|"+c.want {
			t.Errorf("got %q, want %q", got, "before|"+c.want)
		}
	}
}

// all reads a stream to its end.
func all(r io.Reader, maxEvent int) ([]Event, error) {
	var out []Event
	for s := NewReader(r, maxEvent); ; {
		e, err := s.Next()
		if err != nil {
			return out, err
		}
		out = append(out, e)
	}
}

func data(events []Event) string {
	var b strings.Builder
	for _, e := range events {
		b.WriteString(e.ID + "|" + e.Type + "|" + string(e.Data) + ";")
	}
	return b.String()
}

func TestNextReadsWhatTheStandardHas(t *testing.T) {
	for _, c := range []struct {
		name, stream, want string
		err                error
	}{
		{"empty", "", "", io.EOF},
		{"one", "id: 1\nevent: m\ndata: a\n\n", "1|m|a;", io.EOF},
		{"no space", "id:1\nevent:m\ndata:a\n\n", "1|m|a;", io.EOF},
		{"one space goes", "data:  a \n\n", "|| a ;", io.EOF},
		{"several lines", "data: a\ndata:\ndata: b\n\n", "||a\n\nb;", io.EOF},
		{"CR", "data: a\r\rdata: b\r\r", "||a;||b;", io.EOF},
		{"CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", "||a;||b;", io.EOF},
		{"CRLF within an event", "id: 1\r\ndata: a\r\ndata: b\r\n\r\n", "1||a\nb;", io.EOF},
		{"mixed", "data: a\r\n\ndata: b\n\r\n", "||a;||b;", io.EOF},
		{"byte order mark", "\xef\xbb\xbfdata: a\n\n", "||a;", io.EOF},
		{"byte order mark later is text", "data: a\n\n\xef\xbb\xbfdata: b\n\n", "||a;", io.EOF},
		{"comments", ": \n\n: hi\ndata: a\n:\n\n: \n\n", "||a;", io.EOF},
		{"unknown fields", "retry: 7\nfoo\ndata: a\nbar: x\n\n", "||a;", io.EOF},
		{"a field without a colon", "data\n\n", "||;", io.EOF},
		{"no data, no event", "event: m\nid: 1\n\ndata: a\n\n", "1||a;", io.EOF},
		{"the id stays", "id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n", "1||a;1||b;||c;", io.EOF},
		{"the type does not", "event: m\ndata: a\n\ndata: b\n\n", "|m|a;||b;", io.EOF},
		{"NUL in an id", "id: 1\ndata: a\n\nid: 2\x00\ndata: b\n\n", "1||a;1||b;", io.EOF},
		{"cut in a line", "data: a\n\ndata: b", "||a;", io.ErrUnexpectedEOF},
		{"cut before the empty line", "data: a\n\ndata: b\n", "||a;", io.ErrUnexpectedEOF},
		{"cut after an id", "data: a\n\nid: 2\n", "||a;", io.ErrUnexpectedEOF},
		{"cut between comments", "data: a\n\n: \n\n", "||a;", io.EOF},
	} {
		for how, r := range map[string]io.Reader{
			"whole": strings.NewReader(c.stream), "byte by byte": iotest.OneByteReader(strings.NewReader(c.stream)),
			"end with data": iotest.DataErrReader(strings.NewReader(c.stream)),
		} {
			events, err := all(r, 1<<10)
			if got := data(events); got != c.want || !errors.Is(err, c.err) {
				t.Errorf("%s, %s: got %q, %v, want %q, %v", c.name, how, got, err, c.want, c.err)
			}
		}
	}
}

func TestAnEventThatIsTooLong(t *testing.T) {
	line := strings.Repeat("a", 100)
	for name, stream := range map[string]string{
		"one line":              "data: " + line + line,
		"a line without an end": strings.Repeat("x", 1<<20),
		"several lines":         "data: " + line + "\ndata: " + line + "\n\n",
		"fields of no meaning":  strings.Repeat("x: "+line[:20]+"\n", 50),
	} {
		if _, err := all(strings.NewReader(stream), 150); !errors.Is(err, ErrTooLong) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	events, err := all(strings.NewReader(strings.Repeat("data: "+line+"\n\n", 50)), 150)
	if len(events) != 50 || !errors.Is(err, io.EOF) {
		t.Errorf("many short ones: got %d events, %v", len(events), err)
	}
	// A stream that rests says only this, for days.
	if _, err := all(strings.NewReader(strings.Repeat(string(Comment), 1000)), 150); !errors.Is(err, io.EOF) {
		t.Errorf("comments: got %v", err)
	}
}

func TestAReadersOwnErrorComesThrough(t *testing.T) {
	broken := errors.New("connection reset")
	_, err := all(io.MultiReader(strings.NewReader("data: a\n"), iotest.ErrReader(broken)), 100)
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

func TestEventsDoNotShareMemory(t *testing.T) {
	r := NewReader(strings.NewReader("id: 1\ndata: aaaa\n\nid: 2\ndata: bbbb\n\n"), 100)
	first, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err != nil || string(first.Data) != "aaaa" || first.ID != "1" {
		t.Errorf("the first event became %q, %v", first, err)
	}
}

// FuzzSSE writes an event and reads it back, and reads arbitrary bytes.
func FuzzSSE(f *testing.F) {
	f.Add("c1", "message", []byte("{\"a\":\n1}"), []byte("data: a\r\n\r\n: \n\ndata"))
	f.Add("", "", []byte(nil), []byte("\xef\xbb\xbfid: 1\x00\ndata\n\n"))
	f.Add("a\nb", "\x00", []byte("\n\n"), []byte("\r\r\n\n\r"))
	f.Fuzz(func(t *testing.T, id, kind string, body, stream []byte) {
		roundTrip(t, id, kind, body)
		const limit = 64
		events, err := all(bytes.NewReader(stream), limit)
		slow, slowErr := all(iotest.OneByteReader(bytes.NewReader(stream)), limit)
		if data(events) != data(slow) || !errors.Is(slowErr, err) {
			t.Fatalf("%q: how it arrives matters: %q, %v and %q, %v", stream, data(events), err, data(slow), slowErr)
		}
		if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, ErrTooLong) {
			t.Fatalf("%q: got %v", stream, err)
		}
		for _, e := range events {
			if len(e.Data)+len(e.Type) > limit || strings.ContainsAny(e.ID+e.Type, "\r\n") || bytes.ContainsRune(e.Data, '\r') {
				t.Fatalf("%q: got %q", stream, e)
			}
		}
	})
}

func roundTrip(t *testing.T, id, kind string, body []byte) {
	t.Helper()
	body = bytes.ReplaceAll(body, []byte("\r"), nil) // Append's condition
	clean := strings.NewReplacer("\n", "", "\r", "", "\x00", "").Replace
	want := Event{ID: clean(id), Type: clean(kind), Data: body}
	b := append(Append(bytes.Clone(Comment), Event{id, kind, body}), Comment...)
	events, err := all(bytes.NewReader(b), len(b))
	if len(events) != 1 || !errors.Is(err, io.EOF) {
		t.Fatalf("%q: got %d events, %v", b, len(events), err)
	}
	if got := events[0]; got.ID != want.ID || got.Type != want.Type || !bytes.Equal(got.Data, want.Data) {
		t.Fatalf("got %q, want %q", got, want)
	}
}
