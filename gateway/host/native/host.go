package native

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Config is what a host is made of.
type Config struct {
	Core   *edge.Core
	Page   fs.FS    // the built page
	Agents []string // base URLs, for readiness
	Log    *slog.Logger
	Now    func() time.Time  // time.Now when nil
	Agent  http.RoundTripper // the way to the agents; NewTransport() when nil
	Web    http.RoundTripper // the way to Cloudflare Access; Go's default when nil
	Shared Shared            // what several gateways know together; nil for one alone
	Wait   Wait              // DefaultWait where zero
}

// Wait is how long the host waits for what.
type Wait struct {
	Header      time.Duration // for a request's header
	Body        time.Duration // for its body, and longer for larger ones
	Idle        time.Duration // for the next request on a connection
	Write       time.Duration // for a client to take what is written
	Agent       time.Duration // for an agent's whole answer
	AgentStream time.Duration // for the head of an answer that a model makes
	Ping        time.Duration // between pings on a WebSocket
	Pong        time.Duration // for the answer to one
	Drain       time.Duration // for requests in flight when stopping
}

// DefaultWait is what an ordinary host waits.
func DefaultWait() Wait {
	return Wait{
		Header: 10 * time.Second, Body: 30 * time.Second, Idle: 2 * time.Minute, Write: 30 * time.Second,
		Agent: 30 * time.Second, AgentStream: 15 * time.Minute,
		Ping: 30 * time.Second, Pong: 15 * time.Second, Drain: 15 * time.Second,
	}
}

// maxKeys is how many users and addresses the limiter remembers, and how many
// spent keys the host.
const maxKeys = 1 << 17

// Host serves. Its zero value does not; use New.
type Host struct {
	Config
	counts   *counts
	facts    edge.Facts
	page     map[string]*file
	readings readiness
	keys     teamKeys
	buffers  sync.Pool

	draining context.Context // ends when stopping begins
	stop     context.CancelFunc

	mu      sync.Mutex
	sockets map[*socket]struct{}
	stopped bool
	alive   sync.WaitGroup // sockets
}

// New makes a host.
func New(cfg Config) (*Host, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Agent == nil {
		cfg.Agent = NewTransport()
	}
	if cfg.Wait == (Wait{}) {
		cfg.Wait = DefaultWait()
	}
	if cfg.Web == nil {
		cfg.Web = http.DefaultTransport
	}
	page, err := readPage(cfg.Page)
	if err != nil {
		return nil, fmt.Errorf("reading the built page: %w", err)
	}
	h := &Host{Config: cfg, page: page, sockets: make(map[*socket]struct{}), keys: teamKeys{web: cfg.Web, now: cfg.Now}}
	h.draining, h.stop = context.WithCancel(context.Background())
	h.buffers.New = func() any { b := make([]byte, 8<<10); return &b }
	h.counts = newCounts(cfg.Shared, cfg.Now)
	h.facts = h.counts.facts()
	return h, nil
}

// Serve answers on ln until ctx ends, then drains: it takes no new connection,
// tells the sockets, and lets requests in flight finish. It returns nil when it
// stopped because it was told to.
func (h *Host) Serve(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: h.Wait.Header,
		IdleTimeout:       h.Wait.Idle,
		WriteTimeout:      h.Wait.Write, // renewed by every write of a stream
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(h.Log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	return h.drain(context.WithoutCancel(ctx), srv)
}

func (h *Host) drain(ctx context.Context, srv *http.Server) error {
	h.Log.Info("draining", "for", h.Wait.Drain.String())
	ctx, cancel := context.WithTimeout(ctx, h.Wait.Drain)
	defer cancel()
	h.stopSockets()
	err := srv.Shutdown(ctx)
	gone := make(chan struct{})
	go func() { h.alive.Wait(); close(gone) }()
	select {
	case <-gone:
	case <-ctx.Done():
	}
	if errors.Is(err, context.DeadlineExceeded) {
		h.Log.Warn("requests were cut when the time to drain was over")
		err = srv.Close()
	}
	h.Log.Info("stopped")
	return err
}

// ServeHTTP asks the core and does what it says.
func (h *Host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := h.Now()
	rc := http.NewResponseController(w)
	if r.ContentLength != 0 {
		// Whatever happens to the body, also when nobody reads it, has an end.
		_ = rc.SetReadDeadline(started.Add(h.Wait.Body))
	}
	if len(r.TransferEncoding) > 0 {
		// A Content-Length beside it is gone by now. Whoever came between may have
		// gone by that one, and take what follows for another client's
		// (RFC 9112, 6.1).
		w.Header().Set("Connection", "close")
	}
	d, err := h.decide(w, r)
	var status int
	switch {
	case err != nil:
		status = h.refuse(w, r, d, err)
	case d.Respond != nil:
		status = respond(w, r, d.Header, d.Respond.Status, d.Respond.Body)
	case d.Asset != nil:
		status = h.asset(w, r, d)
	case d.Forward != nil:
		status = h.forward(w, rc, r, d)
	case d.Socket != nil:
		status = h.accept(w, r, d)
	}
	h.logRequest(r, d, status, h.Now().Sub(started))
}

// decide answers the core's questions until it has decided.
func (h *Host) decide(w http.ResponseWriter, r *http.Request) (edge.Decision, error) {
	head := edge.Head{
		Method: r.Method, Target: r.URL.RequestURI(), Host: r.Host, TLS: r.TLS != nil,
		RemoteAddr: r.RemoteAddr, Header: r.Header, Length: r.ContentLength,
	}
	facts := h.facts
	for {
		d := h.Core.Decide(head, facts)
		if d.Ask == nil {
			return d, nil
		}
		head.RequestID = d.RequestID
		switch {
		case h.counts.answer(r.Context(), *d.Ask, &facts):
		case d.Ask.Body > 0 && head.Body == nil:
			body, err := h.readBody(w, r, d.Ask.Body)
			if err != nil {
				return d, err
			}
			head.Body = append([]byte{}, body...)
		case d.Ask.Ready && facts.Ready == nil:
			ready := h.ready(r.Context())
			facts.Ready = &ready
		case d.Ask.AccessKeys != nil && (facts.AccessKeys == nil || !facts.AccessKeys.Refreshed):
			keys, err := h.keys.answer(r.Context(), *d.Ask.AccessKeys)
			if err != nil {
				h.Log.Warn("the keys of Cloudflare Access were not fetched", "url", d.Ask.AccessKeys.URL, "error", err)
			}
			facts.AccessKeys = &keys
		default:
			return d, fault.Internal(errors.New("the core asks what was answered"))
		}
	}
}

// logRequest writes one line for a request: no query, no header, so no secret.
func (h *Host) logRequest(r *http.Request, d edge.Decision, status int, took time.Duration) {
	level := slog.LevelDebug
	switch {
	case status >= 500:
		level = slog.LevelWarn
	case status >= 400:
		level = slog.LevelInfo
	}
	if !h.Log.Enabled(r.Context(), level) {
		return
	}
	h.Log.LogAttrs(r.Context(), level, "request", slog.String("method", r.Method), slog.String("path", r.URL.Path),
		slog.Int("status", status), slog.Duration("took", took), slog.String("user", d.User), slog.String("requestId", d.RequestID))
}

var _ http.Handler = (*Host)(nil)
