package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/sse"
)

// wire is a client's end of a stream: what came, and when.
type wire struct {
	mu       sync.Mutex
	header   http.Header
	begun    time.Time
	text     bytes.Buffer
	times    []time.Duration // of each flush
	deadline []time.Duration // ahead, at each write
	breaks   int             // the write with this number fails; 0 is none
	writes   int
}

func newWire() *wire { return &wire{header: http.Header{}, begun: time.Now()} }

func (w *wire) Header() http.Header { return w.header }
func (w *wire) WriteHeader(int)     {}

func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.writes++; w.writes == w.breaks {
		return 0, errors.New("broken pipe")
	}
	return w.text.Write(b)
}

func (w *wire) FlushError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.times = append(w.times, time.Since(w.begun))
	return nil
}

func (w *wire) SetWriteDeadline(at time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deadline = append(w.deadline, time.Until(at))
	return nil
}

func (w *wire) events(t *testing.T) []chat.Event {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []chat.Event
	for r := sse.NewReader(bytes.NewReader(w.text.Bytes()), 1<<20); ; {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		var got chat.Event
		if err := json.Unmarshal(e.Data, &got); err != nil {
			t.Fatalf("%s: %v", e.Data, err)
		}
		if e.Type != got.Type || e.ID != got.Cursor {
			t.Errorf("the lines say %s %s, the JSON %s %s", e.Type, e.ID, got.Type, got.Cursor)
		}
		out = append(out, got)
	}
}

func kinds(events []chat.Event) string {
	var out []string
	for _, e := range events {
		if n := len(out); n == 0 || out[n-1] != e.Type {
			out = append(out, e.Type)
		}
	}
	return strings.Join(out, " ")
}

const oneRun = "message run_started message_chunk message_complete run_finished"

// A stream that rests says so every 15 seconds, and ends with its client.
func TestAStreamThatRestsIsKeptAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.call(http.MethodPost, chat.PathChat, `{"message":"hi there","sessionId":"s"}`, 200)
		ctx, cancel := context.WithCancel(t.Context())
		w := newWire()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			r.ServeHTTP(w, r.request(http.MethodGet, "/api/sessions/s/events", "").WithContext(ctx))
		}()
		time.Sleep(46 * time.Second)
		synctest.Wait()
		cancel()
		<-ended
		if got := kinds(w.events(t)); got != oneRun {
			t.Errorf("got %s, want %s", got, oneRun)
		}
		var later []time.Duration
		for _, at := range w.times {
			if at > 0 {
				later = append(later, at)
			}
		}
		if want := []time.Duration{15 * time.Second, 30 * time.Second, 45 * time.Second}; !reflect.DeepEqual(later, want) {
			t.Errorf("signs of life at %v, want %v", later, want)
		}
		if got := strings.Count(w.text.String(), string(sse.Comment)); got != 4 {
			t.Errorf("%d comments, want one at once and 3 later:\n%s", got, w.text.String())
		}
		if !strings.HasPrefix(w.text.String(), string(sse.Comment)) {
			t.Error("the client does not see at once that it is connected")
		}
		for _, d := range w.deadline {
			if d != 30*time.Second {
				t.Errorf("a write may take %v, want 30s", d)
			}
		}
		h := w.header
		if h.Get("Content-Type") != "text/event-stream; charset=utf-8" || h.Get("Cache-Control") != "no-store" || h.Get("X-Accel-Buffering") != "no" {
			t.Errorf("headers: %v", h)
		}
	})
}

// TestAQuietStreamKeepsLittle: it may be quiet for hours after it has told a long conversation.
func TestAQuietStreamKeepsLittle(t *testing.T) {
	if got := cap(reusable(make([]byte, 1<<20))); got != 0 {
		t.Errorf("%d bytes are kept", got)
	}
	if got := cap(reusable(make([]byte, 10, 400))); got != 400 {
		t.Errorf("the room of a piece of text is not used again, %d bytes are kept", got)
	}
}

func TestAReaderThatIsGoneEndsItsStream(t *testing.T) {
	for n := 1; n <= 3; n++ {
		t.Run(fmt.Sprint("write ", n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.call(http.MethodPost, chat.PathChat, `{"message":"hi","sessionId":"s"}`, 200)
				w := newWire()
				w.breaks = n
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				r.ServeHTTP(w, r.request(http.MethodGet, "/api/sessions/s/events", "").WithContext(ctx)) // returns by itself
				if ctx.Err() != nil {
					t.Error("it goes on until its client's connection is closed")
				}
				if w.writes != n {
					t.Errorf("%d writes after the one that failed", w.writes-n)
				}
				if strings.Contains(r.log.String(), "request failed") {
					t.Errorf("a reader that goes away is no failure: %s", r.log)
				}
			})
		})
	}
}

// A POST's stream carries its own run and ends with it.
func TestAPOSTStreamsItsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.call(http.MethodPost, chat.PathChat, `{"message":"before","sessionId":"s"}`, 200)
		for name, accept := range map[string]string{`{"message":"one two","sessionId":"s","stream":true}`: "", `{"message":"one two","sessionId":"s"}`: "text/event-stream"} {
			w := newWire()
			q := r.request(http.MethodPost, chat.PathChat, name)
			q.Header.Set("Accept", accept)
			r.ServeHTTP(w, q)
			events := w.events(t)
			if got := kinds(events); got != oneRun {
				t.Errorf("%s: got %s, want %s", name, got, oneRun)
			}
			joined := ""
			for _, e := range events {
				if e.RunID != events[0].RunID {
					t.Errorf("%s: an event of another run: %+v", name, e)
				}
				if e.Type == chat.TypeMessageChunk {
					joined += e.Text()
				}
			}
			if joined != "one two" {
				t.Errorf("%s: the chunks join to %q", name, joined)
			}
		}
	})
}

func TestAChatAsTheOriginalHadIt(t *testing.T) {
	r := newRig(t)
	m := r.call(http.MethodPost, chat.PathChat, `{"message":"hi"}`, 200)
	if m["message"] != "hi" || m["sessionId"] != chat.DefaultSession || m["timestamp"] == nil || m["runId"] == "" {
		t.Errorf("got %v", m)
	}
	key := r.request(http.MethodPost, chat.PathChat, `{"message":"again"}`)
	key.Header.Set(chat.HeaderIdempotencyKey, "k")
	first := r.do(key).Body.String()
	key = r.request(http.MethodPost, chat.PathChat, `{"message":"again"}`)
	key.Header.Set(chat.HeaderIdempotencyKey, "k")
	if got := r.do(key).Body.String(); got != first {
		t.Errorf("the same key gives %s, then %s", first, got)
	}
	key = r.request(http.MethodPost, chat.PathChat, `{"message":"other"}`)
	key.Header.Set(chat.HeaderIdempotencyKey, "k")
	refused(t, "the key with another body", r.do(key), 422, fault.CodeIdempotency)
	if h := r.call(http.MethodGet, chat.PathHistory, "", 200); len(h["messages"].([]any)) != 4 {
		t.Errorf("got %v", h)
	}
}

// page asks for one JSON page of events.
func (r *rig) page(query string) (events []chat.Event, next string) {
	r.t.Helper()
	q := r.request(http.MethodGet, "/api/sessions/s/events?"+query, "")
	q.Header.Set("Accept", "application/json")
	w := r.do(q)
	var p struct {
		Events []chat.Event
		Next   string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != 200 || p.Events == nil {
		r.t.Fatalf("%s: got %d %s, %v", query, w.Code, w.Body, err)
	}
	return p.Events, p.Next
}

func TestPagesOfEvents(t *testing.T) {
	r := newRig(t)
	for _, m := range []string{"one two three", "four", "five six"} {
		r.call(http.MethodPost, chat.PathChat, `{"message":"`+m+`","sessionId":"s"}`, 200)
	}
	whole, end := r.page("")
	if len(whole) < 15 {
		t.Fatalf("%d events", len(whole))
	}
	for _, limit := range []int{1, 2, 3, 7, len(whole), len(whole) + 1, 5000} {
		var got []chat.Event
		after := ""
		for range len(whole) + 2 {
			events, next := r.page(fmt.Sprintf("limit=%d&after=%s", limit, after))
			if len(events) > limit {
				t.Fatalf("limit %d: %d events", limit, len(events))
			}
			if got, after = append(got, events...), next; len(events) == 0 {
				break
			}
		}
		if !reflect.DeepEqual(got, whole) || after != end {
			t.Errorf("limit %d: %d events, the end %q; want %d, %q", limit, len(got), after, len(whole), end)
		}
	}
	for i, e := range whole {
		if rest, _ := r.page("after=" + e.Cursor); len(rest) != len(whole)-i-1 {
			t.Errorf("after event %d come %d, want %d", i, len(rest), len(whole)-i-1)
		}
	}
}

func TestLastEventIDWinsOverAfter(t *testing.T) {
	r := newRig(t)
	r.call(http.MethodPost, chat.PathChat, `{"message":"hi","sessionId":"s"}`, 200)
	whole, end := r.page("")
	q := r.request(http.MethodGet, "/api/sessions/s/events?after="+whole[0].Cursor, "")
	q.Header.Set("Accept", "application/json")
	q.Header.Set(chat.HeaderLastEventID, end)
	if w := r.do(q); w.Code != 200 || !strings.Contains(w.Body.String(), `"events":[]`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	for name, cursor := range map[string]string{
		"another session's": chat.Cursor{Epoch: 1, Seq: 1}.Encode("other"), "nonsense": "x", "ahead": chat.Cursor{Epoch: 1, Seq: 1 << 60}.Encode("s"),
	} {
		q := r.request(http.MethodGet, "/api/sessions/s/events?after="+cursor, "")
		q.Header.Set("Accept", "application/json")
		refused(t, name, r.do(q), 400, fault.CodeInvalidCursor)
	}
}

func TestACursorOfAnOldLifeTellsThatItHasEnded(t *testing.T) {
	r := newRig(t)
	r.call(http.MethodPost, chat.PathChat, `{"message":"old","sessionId":"s"}`, 200)
	_, end := r.page("")
	r.call(http.MethodDelete, "/api/history/s", "", 200)
	r.call(http.MethodPost, chat.PathChat, `{"message":"new","sessionId":"s"}`, 200)
	events, next := r.page("after=" + end)
	if got := kinds(events); got != "history_cleared "+oneRun || events[0].Cursor != "" {
		t.Errorf("got %s: %+v", got, events[0])
	}
	for _, e := range events {
		if strings.Contains(e.Text(), "old") {
			t.Errorf("the cleared session speaks: %+v", e)
		}
	}
	if rest, _ := r.page("after=" + next); len(rest) != 0 {
		t.Errorf("and then %s", kinds(rest))
	}
}
