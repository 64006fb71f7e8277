package httpapi

import (
	"cmp"
	"crypto/ed25519"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/loongclaw/loongclaw/agent/egress"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

// Startup stands before a server that is not there yet: the agent listens from
// its first moment, and takes its egress tokens where it waits for them.
type Startup struct {
	Egress *egress.Tokens      // nil where none are wanted
	Keys   []ed25519.PublicKey // whose passes count
	next   atomic.Pointer[Server]

	stranger time.Duration // how long a stranger's body is waited for; strangerTime where zero
}

// activePath tells what runs, and whose: not for everybody who reaches the port.
const activePath = "/active"

// lifecycle are the paths that whoever started this agent asks. Their connections
// are not used again: workerd, which reaches a container's port, closes one that it
// has already given to the next request.
var lifecycle = map[string]bool{egress.Path: true, chat.PathReady: true, activePath: true}

// Open hands requests to the server from now on.
func (e *Startup) Open(s *Server) { e.next.Store(s) }

// ServeHTTP answers one request.
func (e *Startup) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	serveWhole(e.serve, w, r, cmp.Or(e.stranger, strangerTime))
}

func (e *Startup) serve(w http.ResponseWriter, r *http.Request) {
	if lifecycle[r.URL.Path] {
		w.Header().Set("Connection", "close")
	}
	if e.Egress != nil && r.URL.Path == egress.Path {
		if err := e.Egress.Take(w, r); err != nil {
			refuse(w, r, fault.From(err))
			return
		}
		w.WriteHeader(http.StatusNoContent)
		return
	}
	s := e.next.Load()
	switch {
	case s == nil:
		refuse(w, r, fault.New(fault.CodeUnavailable, "the agent is starting", "try again").After(time.Second))
	case r.URL.Path == activePath && !e.mayWatch(r):
		refuse(w, r, fault.New(fault.CodeUnauthorized, "what runs here is told to whoever keeps this agent", "send the keeper's token that came with the egress proxy's, or a pass for GET "+activePath))
	default:
		s.ServeHTTP(w, r)
	}
}

// mayWatch reports whether a request may ask what runs: it has the token of the
// object that started this agent, or a pass for this very question.
func (e *Startup) mayWatch(r *http.Request) bool {
	if e.Egress.Keeps(r.Header.Get(egress.Header)) {
		return true
	}
	_, err := pass.Verify(e.Keys, r.Header.Get(chat.HeaderPass), r.Method, r.URL.EscapedPath(), time.Now())
	return err == nil
}

// refuse answers where there is no server to do it.
func refuse(w http.ResponseWriter, r *http.Request, f *fault.Error) {
	_ = writeFault(w, r, f) // the client has gone
}

var _ http.Handler = (*Startup)(nil)
