package httpapi

import (
	"encoding/json"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/loongclaw/loongclaw/agent/door"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Entrance stands before a server that is not there yet: the agent listens from
// its first moment, and takes its door tokens where it waits for them.
type Entrance struct {
	Door *door.Tokens // nil where none are wanted
	next atomic.Pointer[Server]
}

// lifecycle are the paths that whoever started this agent asks. Their connections
// are not used again: workerd, which reaches a container's port, closes one that it
// has already given to the next request.
var lifecycle = map[string]bool{door.Path: true, "/ready": true, "/active": true}

// Open hands requests to the server from now on.
func (e *Entrance) Open(s *Server) { e.next.Store(s) }

// ServeHTTP answers one request.
func (e *Entrance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if lifecycle[r.URL.Path] {
		w.Header().Set("Connection", "close")
	}
	if e.Door != nil && r.URL.Path == door.Path {
		e.Door.ServeHTTP(w, r)
		return
	}
	if s := e.next.Load(); s != nil {
		s.ServeHTTP(w, r)
		return
	}
	f := fault.New(fault.CodeUnavailable, "the agent is starting", "try again").After(time.Second)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Retry-After", strconv.Itoa(f.RetrySeconds()))
	w.WriteHeader(f.Status())
	_ = json.NewEncoder(w).Encode(f.With(r.Header.Get(chat.HeaderRequestID)))
}

var _ http.Handler = (*Entrance)(nil)
