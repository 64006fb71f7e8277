package langchain

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loongclaw/loongclaw/agent/model/modeltest"
)

// timed is the body of an answer that comes a word every 10 ms, into a buffer as that
// of a connection.
type timed struct {
	began time.Time
	given int // events
}

// Read gives what has come since the last read, and waits where that is nothing.
func (b *timed) Read(p []byte) (int, error) {
	const words, every = 50, 10 * time.Millisecond
	if b.given > words {
		return 0, io.EOF
	}
	time.Sleep(time.Until(b.began.Add(time.Duration(b.given) * every)))
	var out []byte
	for due := int(time.Since(b.began)/every) + 1; b.given < due && b.given < words; b.given++ {
		out = append(out, said("word ")...)
	}
	if b.given == words {
		out = append(out, ends("stop")...)
		b.given++
	}
	return copy(p, out), nil
}

// TestTextIsReadTogether: of a model that sends a piece every 10 ms the first one is
// given on at once, and the others two by two. What comes after a pause does not wait.
func TestTextIsReadTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		m, err := New(Config{Provider: OpenAI, Key: "k", Client: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(&timed{began: began})}, nil
		})}})
		if err != nil {
			t.Fatal(err)
		}
		var at []time.Duration
		a, err := m.Answer(t.Context(), hello(), func(string) { at = append(at, time.Since(began)) })
		if err != nil || a.Text != strings.Repeat("word ", 50) {
			t.Fatalf("%q, error %v", a.Text, err)
		}
		if at[0] != 0 || len(at) > 27 {
			t.Errorf("50 pieces were given at %v, want the first one at once and the others together", at)
		}
	})
	bubble(t, Config{}, func(t *testing.T, s *modeltest.Server, m *Model) {
		s.Script(modeltest.Reply{Text: "a b c d", Delay: 1000})
		began := time.Now()
		_, err := m.Answer(t.Context(), hello(), func(piece string) {
			if late := time.Since(began) % time.Second; late != 0 {
				t.Errorf("%q waited for %v", piece, late)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// TestMuchDoesNotWait: a model that sends much is not kept from it.
func TestMuchDoesNotWait(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, s *modeltest.Server, m *Model) {
		text := strings.Repeat(strings.Repeat("x", 3000)+" ", 500)
		s.Script(modeltest.Reply{Text: text})
		got := ask(t, t.Context(), m, hello())
		if got.err != nil || got.Text != text || got.took > 200*time.Millisecond {
			t.Errorf("%d bytes took %v, error %v", len(got.Text), got.took, got.err)
		}
	})
}

// TestNothingIsGivenBehindTheEnd: whoever has been told that the answer is over may use
// what it was given without a lock.
func TestNothingIsGivenBehindTheEnd(t *testing.T) {
	var given []string
	giving, taken := make(chan struct{}), make(chan struct{})
	x := &exchange{waiting: "first", onText: func(s string) {
		close(giving)
		<-taken
		given = append(given, s)
	}}
	go x.deliver()
	<-giving
	over := make(chan struct{})
	go func() {
		x.end()
		close(over)
	}()
	select {
	case <-over:
		t.Error("the answer is over while a piece of it is being given")
	case <-time.After(20 * time.Millisecond):
	}
	close(taken)
	<-over
	x.waiting = "late"
	if x.deliver() || len(given) != 1 {
		t.Errorf("given were %q, want the first piece alone", given)
	}
}
