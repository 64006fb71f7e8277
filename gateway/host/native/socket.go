package native

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/loongclaw/loongclaw/gateway/edge"
)

const (
	// maxPending is how many calls of one socket may wait for the agent.
	maxPending = 32
	// maxFollowed is how many sessions one socket may follow.
	maxFollowed = 64
	// closeWait bounds the writing of a close frame.
	closeWait = 2 * time.Second
)

// socket is one WebSocket. One goroutine reads it. Calls to the agent run in
// order in a second one that lives only while there are any, and each followed
// session has one: an idle socket costs one small goroutine.
//
// Nothing is queued for the client. Whoever has a frame writes it; a client that
// does not take a frame within Wait.Write is cut off.
type socket struct {
	host *Host
	conn *websocket.Conn
	id   edge.Identity
	most int64
	ctx  context.Context // the socket's life; everything that works for it ends with it
	end  context.CancelFunc
	out  func() // it is no longer among what its user has open

	mu      sync.Mutex
	pending []edge.Call
	working bool
	relays  map[string]*relay
	pinger  *time.Timer
}

// accept upgrades a request. The socket lives on in a goroutine of its own, so
// that the request, its buffers and its stack can go.
func (h *Host) accept(w http.ResponseWriter, r *http.Request, d edge.Decision) int {
	if h.draining.Err() != nil {
		return h.refuse(w, r, d, errDraining)
	}
	if r.Header.Get("Sec-Websocket-Version") != "13" || r.Header.Get("Sec-Websocket-Key") == "" {
		w.Header().Set("Sec-Websocket-Version", "13")
		return h.refuse(w, r, d, edge.ErrHandshake)
	}
	out, ok := h.open.socket(d.Socket.Identity.User)
	if !ok {
		return h.refuse(w, r, d, edge.TooManyOpen(edge.OpenSockets))
	}
	w.Header().Set("X-Request-Id", d.RequestID)
	options := &websocket.AcceptOptions{InsecureSkipVerify: true} // the core has looked at Origin
	if d.Socket.Subprotocol != "" {
		options.Subprotocols = []string{d.Socket.Subprotocol}
	}
	m := &meter{now: h.Now}
	conn, err := websocket.Accept(meteredWriter{w, m}, r, options)
	if err != nil {
		out()
		h.Log.Debug("a WebSocket handshake failed", "requestId", d.RequestID, "error", err)
		return http.StatusBadRequest
	}
	conn.SetReadLimit(-1) // the core answers frames that are too long
	ctx, end := context.WithCancel(context.WithoutCancel(r.Context()))
	s := &socket{host: h, conn: conn, id: d.Socket.Identity, most: d.Socket.MaxFrame, ctx: ctx, end: end, out: out}
	m.end = ctx.Done()
	m.flooded = func() {
		go s.close(edge.Close{Code: int(websocket.StatusPolicyViolation), Reason: "too many frames: send fewer, and connect again"})
	}
	if !h.keep(s) {
		out()
		end()
		_ = conn.CloseNow()
		return http.StatusServiceUnavailable
	}
	go s.live()
	return http.StatusSwitchingProtocols
}

// keep notes a socket, unless the host has begun to stop.
func (h *Host) keep(s *socket) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return false
	}
	h.sockets[s] = struct{}{}
	h.alive.Add(1)
	return true
}

func (h *Host) forget(s *socket) {
	h.mu.Lock()
	delete(h.sockets, s)
	h.mu.Unlock()
	s.out()
	h.alive.Done()
}

// stopSockets tells every socket that this process goes away.
func (h *Host) stopSockets() {
	h.mu.Lock()
	h.stopped = true
	all := make([]*socket, 0, len(h.sockets))
	for s := range h.sockets {
		all = append(all, s)
	}
	h.mu.Unlock()
	h.stop()
	for _, s := range all {
		go s.close(edge.Close{Code: int(websocket.StatusServiceRestart), Reason: "the gateway restarts: connect again"})
	}
}

// live serves the socket until it ends.
func (s *socket) live() {
	defer s.host.forget(s)
	defer func() {
		s.end()
		s.mu.Lock()
		s.pinger.Stop()
		s.mu.Unlock()
		_ = s.conn.CloseNow()
	}()
	s.mu.Lock()
	s.pinger = time.AfterFunc(s.nextLook(), s.look)
	s.mu.Unlock()
	s.send(s.host.Core.Connected(s.id))
	for s.ctx.Err() == nil {
		kind, frame, err := s.read()
		if err != nil {
			return
		}
		d := s.decide(kind == websocket.MessageBinary, frame)
		for _, f := range d.Send {
			s.send(f)
		}
		if d.Call != nil {
			s.enqueue(*d.Call)
		}
		if d.Close != nil {
			s.close(*d.Close)
			return
		}
	}
}

// decide answers the core's questions about a frame until it has decided.
func (s *socket) decide(binary bool, frame []byte) edge.FrameDecision {
	facts := s.host.known()
	for {
		d := s.host.Core.Frame(s.id, binary, frame, facts)
		if d.Ask == nil || !s.host.counts.answer(s.ctx, *d.Ask, &facts) {
			return d
		}
	}
}

// read reads a frame, of one too long only so much that the core sees it.
func (s *socket) read() (websocket.MessageType, []byte, error) {
	kind, r, err := s.conn.Reader(s.ctx)
	if err != nil {
		return 0, nil, err
	}
	var b bytes.Buffer
	_, err = b.ReadFrom(io.LimitReader(r, s.most+1))
	return kind, b.Bytes(), err
}

// send writes a frame. Whoever cannot take it in time is cut off.
func (s *socket) send(frame json.RawMessage) {
	ctx, cancel := context.WithTimeout(s.ctx, s.host.Timeouts.Write)
	defer cancel()
	if err := s.conn.Write(ctx, websocket.MessageText, frame); err != nil {
		// The error itself may be that of a connection which the deadline has closed,
		// and a ping that waited for this write may have ended the socket since.
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			s.host.Log.Info("a WebSocket was cut: its client did not read", "user", s.id.User)
		}
		s.end()
	}
}

// close says why, waits a little for the client to say so too, and ends.
func (s *socket) close(c edge.Close) {
	// Close waits for the peer for up to 5 s on its own.
	cut := time.AfterFunc(closeWait, s.end)
	defer cut.Stop()
	_ = s.conn.Close(websocket.StatusCode(c.Code), c.Reason)
	s.end()
}

// look pings, and ends a socket whose client or credential is gone. A timer calls
// it, so that between two looks nothing waits.
func (s *socket) look() {
	if end := s.host.Core.Expired(s.id); end != nil {
		s.close(*end)
		return
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.host.Timeouts.Pong)
	defer cancel()
	if err := s.conn.Ping(ctx); err != nil {
		s.end()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() == nil {
		s.pinger.Reset(s.nextLook())
	}
}

func (s *socket) nextLook() time.Duration {
	next := s.host.Timeouts.Ping
	if s.id.Expires != 0 {
		next = min(next, max(0, time.Unix(s.id.Expires, 0).Sub(s.host.Now())))
	}
	return next
}
