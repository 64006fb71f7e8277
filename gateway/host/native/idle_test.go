package native

import (
	"runtime"
	"testing"

	"github.com/coder/websocket"

	"github.com/loongclaw/loongclaw/gateway/edge"
)

func TestIdleSocketsAreSmall(t *testing.T) {
	const n = 500
	r := newRig(t, newTalker(), allows(edge.Most{Sockets: n + 1}))
	dial(t, r, "/ws", nil)
	before := resident()
	conns := make([]*websocket.Conn, n)
	for i := range conns {
		conns[i] = dial(t, r, "/ws", nil)
	}
	// The clients live in this process, too, and are about as large as the
	// gateway's side: the bound is for both.
	each := (resident() - before) / n
	t.Logf("%d bytes of heap and stack for a socket, both sides", each)
	if each > 2*32<<10 {
		t.Errorf("got %d bytes for a socket, want at most 32 KiB a side", each)
	}
}

func resident() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse) //nolint:gosec // far below the limit
}
