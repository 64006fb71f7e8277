package langchain

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/model/modeltest"
)

// TestManyAtOnce runs answers side by side over real sockets: none may get
// another's text, and no goroutine may stay behind.
func TestManyAtOnce(t *testing.T) {
	s := modeltest.New()
	url := s.Start(t)
	m, err := New(Config{Provider: OpenAI, Key: "k", URL: url})
	if err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			q := hello()
			q.Messages[0].Text = fmt.Sprint("number ", i)
			if got := ask(t, t.Context(), m, q); got.err != nil || !strings.HasPrefix(got.Text, "echo: "+q.Messages[0].Text+" ") {
				t.Errorf("%q was answered with %q, error %v", q.Messages[0].Text, got.Text, got.err)
			}
		})
	}
	wg.Wait()
	m.client.CloseIdleConnections()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before+10; {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
		runtime.Gosched()
	}
}

// BenchmarkAnswer is one answer of 50 chunks over a real socket, both ends.
func BenchmarkAnswer(b *testing.B) {
	s := modeltest.New()
	url, stop, err := s.Listen("127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer stop()
	m, err := New(Config{Provider: OpenAI, Key: "k", URL: url})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := m.Answer(b.Context(), hello(), func(string) {}); err != nil {
			b.Fatal(err)
		}
	}
}
