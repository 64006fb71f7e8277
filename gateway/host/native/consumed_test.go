package native

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/loongclaw/loongclaw/gateway/edge"
)

func TestSpentIsBoundedAndForgetsOnlyWhatIsOver(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	s := newConsumed(3, func() time.Time { return now })
	q := func(key string, from, until time.Duration) edge.SpendQuestion {
		return edge.SpendQuestion{Key: key, From: now.Add(from).UnixMilli(), Until: now.Add(until).UnixMilli()}
	}
	for _, tc := range []struct {
		q    edge.SpendQuestion
		want bool
	}{
		{edge.SpendQuestion{Key: "login"}, true},
		{edge.SpendQuestion{Key: "login"}, false},
		{q("a", 0, time.Minute), true},
		{q("a", 0, time.Minute), false},
		{q("before this process", -time.Millisecond, time.Minute), false},
		{q("over", 0, 0), false},
		{q("b", 0, 2*time.Minute), true},
		{q("too many", 0, time.Minute), false},
	} {
		if got := s.consume(tc.q); got != tc.want {
			t.Errorf("%+v: got %v", tc.q, got)
		}
	}
	now = now.Add(90 * time.Second)
	if !s.consume(q("c", 0, time.Minute)) {
		t.Error("what is over takes room")
	}
	if s.consume(q("b", -90*time.Second, 30*time.Second)) || s.consume(edge.SpendQuestion{Key: "login"}) || s.consume(q("d", 0, time.Minute)) {
		t.Error("what still counts was forgotten")
	}
}

func TestSpentOnceUnderConcurrency(t *testing.T) {
	s := newConsumed(10, time.Now)
	var wg sync.WaitGroup
	first := make(chan struct{}, 64)
	for range 64 {
		wg.Go(func() {
			if s.consume(edge.SpendQuestion{Key: "k"}) {
				first <- struct{}{}
			}
		})
	}
	wg.Wait()
	if len(first) != 1 {
		t.Errorf("%d were first", len(first))
	}
}

// A ticket opens one socket, and stands in no line of the log.
func TestTicketOverTheWire(t *testing.T) {
	var log safeBuffer
	r := newRig(t, http.NotFoundHandler(), func(_ *edge.Config, c *Config) {
		c.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	var tickets []string
	for _, path := range []string{"/ws?ticket=", "/?ticket="} {
		resp, body := r.do(t, "POST", "/api/tickets", "")
		_, rest, _ := strings.Cut(body, `"ticket":"`)
		ticket, _, _ := strings.Cut(rest, `"`)
		if resp.StatusCode != 200 || ticket == "" {
			t.Fatalf("got %d %s", resp.StatusCode, body)
		}
		conn, _, err := websocket.Dial(t.Context(), r.url+path+ticket, nil) //nolint:bodyclose // the library's
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.CloseNow()
		_, resp2, err := websocket.Dial(t.Context(), r.url+path+ticket, nil) //nolint:bodyclose // the library's
		if err == nil || resp2 == nil || resp2.StatusCode != 401 {
			t.Errorf("again: got %v, %v", resp2, err)
		}
		tickets = append(tickets, ticket)
	}
	r.stop() // then all lines are written
	err := <-r.served
	r.served <- err
	text := log.String()
	if !strings.Contains(text, `"path":"/ws","status":401`) || strings.Contains(text, "lct_") {
		t.Errorf("the log: %s", text)
	}
	for _, ticket := range tickets {
		if strings.Contains(text, ticket) {
			t.Errorf("the log has the ticket: %s", text)
		}
	}
}

// safeBuffer takes lines from many goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
