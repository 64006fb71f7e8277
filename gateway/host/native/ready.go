package native

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

const (
	// readyFresh is how long a reading counts: anybody may ask, so asking must
	// not be a way to keep the agents busy.
	readyFresh = time.Second
	readyWait  = 2 * time.Second
)

// readiness is the last reading of the agents' state.
type readiness struct {
	mu    sync.Mutex
	at    time.Time
	ready bool
}

// ready says whether every agent is ready. The answer to one caller serves those
// who ask meanwhile.
func (h *Host) ready(ctx context.Context) bool {
	h.readings.mu.Lock()
	defer h.readings.mu.Unlock()
	if age := h.Now().Sub(h.readings.at); age >= 0 && age < readyFresh {
		return h.readings.ready
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyWait)
	defer cancel()
	answers := make(chan bool, len(h.Agents))
	for _, agent := range h.Agents {
		go func() { answers <- h.agentReady(ctx, agent) }()
	}
	ready := true
	for range h.Agents {
		ready = <-answers && ready
	}
	h.readings.at, h.readings.ready = h.Now(), ready
	return ready
}

func (h *Host) agentReady(ctx context.Context, agent string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, agent+chat.PathReady, nil)
	if err != nil {
		return false
	}
	resp, err := h.Agent.RoundTrip(req)
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 4<<10)) // so that the connection is kept
	return resp.StatusCode == http.StatusOK
}
