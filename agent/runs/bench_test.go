package runs_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/bucket/sqlite"
	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// BenchmarkNewChat is a message in a session of its own and an answer of 50 pieces,
// which a reader follows. The provider is in the same process.
func BenchmarkNewChat(b *testing.B) {
	files, err := disk.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	database, err := sqlite.Open(b.Context(), sqlite.Config{Path: b.TempDir() + "/data"})
	if err != nil {
		b.Fatal(err)
	}
	for name, store := range map[string]bucket.Bucket{"disk": files, "sqlite": database} {
		b.Run(name, func(b *testing.B) { newChats(b, store) })
	}
}

func newChats(b *testing.B, store bucket.Bucket) {
	provider := modeltest.New()
	server := httptest.NewServer(provider)
	defer server.Close()
	r := &rig{b, provider, server.URL, store}
	m := r.agent("bench")
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		m.Drain(ctx)
	}()
	answer := strings.Repeat("four ", 50)
	b.ResetTimer()
	for i := range b.N {
		provider.Script(modeltest.Reply{Text: answer})
		session := fmt.Sprintf("s%d-%d", b.N, i)
		run, err := m.Start(b.Context(), "alice", session, runs.Request{Message: "hello"})
		if err != nil {
			b.Fatal(err)
		}
		follow(b, m, session, run)
	}
}

func follow(b *testing.B, m *runs.Manager, session string, run chat.Run) {
	f, err := m.Follow(b.Context(), "alice", session, "")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for {
		events, err := f.Next(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		for _, e := range events {
			if e.Type == chat.TypeRunFinished && e.RunID == run.RunID {
				return
			}
		}
	}
}
