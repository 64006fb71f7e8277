package runs_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// holding is a store that holds the next object of a session's journal back while armed.
type holding struct {
	bucket.Bucket
	armed         atomic.Bool
	held, release chan struct{}
}

func (h *holding) Create(ctx context.Context, key string, body []byte) (string, error) {
	if strings.HasPrefix(key, users.SessionPrefix("alice", "s", 1)) && h.armed.CompareAndSwap(true, false) {
		close(h.held)
		<-h.release
	}
	return h.Bucket.Create(ctx, key, body)
}

// With a single place for active runs, a message finds it that comes while the end of
// the run before it is being written: it is decided upon after that end, and before the
// run has given its place back.
func TestAMessageDuringTheEndOfTheRunBeforeItFindsAPlace(t *testing.T) {
	r := newRig(t)
	store := &holding{Bucket: r.store, held: make(chan struct{}), release: make(chan struct{})}
	r.store = store
	m := r.narrow("a")
	defer func() { stop(t, m, time.Second) }()
	r.provider.Fallback(func(*modeltest.Request) modeltest.Reply {
		store.armed.Store(true)
		return modeltest.Reply{Text: "an answer"}
	})
	before := start(t, m, "s", "one")
	<-store.held
	r.provider.Fallback(func(*modeltest.Request) modeltest.Reply { return modeltest.Reply{Text: "an answer"} })
	var next chat.Run
	told := make(chan error, 1)
	go func() {
		var err error
		next, err = m.Start(t.Context(), "alice", "s", runs.Request{Message: "two"})
		told <- err
	}()
	time.Sleep(50 * time.Millisecond) // until it waits behind that end
	close(store.release)
	if err := <-told; err != nil {
		t.Fatal(err)
	}
	read(t, m, "s", before.Cursor, finished(next))
}

// So does one with which a client goes on, as soon as it is told of calls of its tools.
func TestAMessageInsteadOfResultsFindsAPlace(t *testing.T) {
	r := newRig(t)
	m := r.narrow("a")
	defer func() { stop(t, m, time.Second) }()
	for range 30 {
		r.waits(t, m, "s", "weather", "{}")
		r.provider.Script(modeltest.Reply{Text: "an answer"})
		run := start(t, m, "s", "never mind")
		read(t, m, "s", run.Cursor, finished(run))
	}
}

// A run that goes on keeps its place, and who wants another one is told.
func TestOneRunTooManyIsRefused(t *testing.T) {
	r := newRig(t)
	m := r.narrow("a")
	defer func() { stop(t, m, time.Second) }()
	r.provider.Script(modeltest.Reply{Text: "an answer that", Fault: modeltest.FaultStall, After: 1})
	run := start(t, m, "s", "one")
	read(t, m, "s", run.Cursor, ofType(chat.TypeMessageChunk))
	if _, err := m.Start(t.Context(), "alice", "other", runs.Request{Message: "two"}); fault.CodeOf(err) != fault.CodeTooManyRuns || fault.From(err).RetrySeconds() == 0 {
		t.Errorf("got %v, want too_many_runs with a time to come again", err)
	}
	if _, err := m.Cancel(t.Context(), "alice", "s", ""); err != nil {
		t.Fatal(err)
	}
	start(t, m, "other", "three")
}
