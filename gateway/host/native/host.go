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
	"sync/atomic"
	"time"

	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Config is what a host is made of.
type Config struct {
	Core   *edge.Core
	Page   fs.FS // the built page
	Agents []edge.Agent
	// List gives the agents anew, where they may change while the host runs.
	List     func() ([]edge.Agent, error)
	Log      *slog.Logger
	Now      func() time.Time  // time.Now when nil
	Agent    http.RoundTripper // the way to the agents; NewTransport() when nil
	Web      http.RoundTripper // the way to Cloudflare Access; Go's default when nil
	Shared   Shared            // what several gateways know together; nil for one alone
	Timeouts Wait              // DefaultWait where zero
	Seen     Observer          // nobody when nil
	Most     edge.Most         // what a user may have open at once; edge.UsualMost where zero
	// Middleware stands between the server and the host; nil is nothing.
	Middleware func(http.Handler) http.Handler
}

// Observer is told what a host does. Many tell it at once, and on the way of every
// request: it must not wait.
type Observer interface {
	// Answered: a request has had its answer. The route is a template, or empty.
	Answered(route, method, kind string, status int, took time.Duration)
	// Refused: a limit of a class refused one more.
	Refused(class string)
	// Called: what became of a call to the agent that a socket's frame was.
	Called(then string, err error)
}

// The kinds of requests.
const (
	KindPlain  = "plain"
	KindStream = "stream" // its answer takes as long as a model does, or as its reader stays
)

// unseen is the observer where there is none.
type unseen struct{}

func (unseen) Answered(string, string, string, int, time.Duration) {}
func (unseen) Refused(string)                                      {}
func (unseen) Called(string, error)                                {}

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
	Replaced    time.Duration // for them when another process has taken over
}

// DefaultWait is what an ordinary host waits.
func DefaultWait() Wait {
	return Wait{
		Header: 10 * time.Second, Body: 30 * time.Second, Idle: 2 * time.Minute, Write: 30 * time.Second,
		Agent: 30 * time.Second, AgentStream: 15 * time.Minute,
		Ping: 30 * time.Second, Pong: 15 * time.Second, Drain: 15 * time.Second, Replaced: 5 * time.Minute,
	}
}

// maxKeys is how many users and addresses the limiter remembers, and how many
// spent keys the host.
const maxKeys = 1 << 17

// Host serves. Its zero value does not; use New.
type Host struct {
	Config
	counts    *limits
	open      *open
	facts     edge.Facts
	page      map[string]*file
	upstreams *upstreams
	keys      accessKeys
	buffers   sync.Pool

	leaving  atomic.Bool     // answers close their connections
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
	if cfg.Timeouts == (Wait{}) {
		cfg.Timeouts = DefaultWait()
	}
	if cfg.Most == (edge.Most{}) {
		cfg.Most = edge.UsualMost()
	}
	if cfg.Web == nil {
		cfg.Web = http.DefaultTransport
	}
	if cfg.Middleware == nil {
		cfg.Middleware = func(h http.Handler) http.Handler { return h }
	}
	if cfg.Seen == nil {
		cfg.Seen = unseen{}
	}
	page, err := readPage(cfg.Page)
	if err != nil {
		return nil, fmt.Errorf("reading the built page: %w", err)
	}
	h := &Host{Config: cfg, page: page, sockets: make(map[*socket]struct{}), keys: accessKeys{web: cfg.Web, now: cfg.Now}}
	h.draining, h.stop = context.WithCancel(context.Background())
	h.buffers.New = func() any { b := make([]byte, 8<<10); return &b }
	h.counts = newLimits(cfg.Shared, cfg.Now, cfg.Seen.Refused)
	h.facts = h.counts.facts()
	h.open = newOpen(cfg.Most)
	h.upstreams = &upstreams{ask: h.agentReady, list: cfg.List, log: cfg.Log, now: cfg.Now, agents: cfg.Agents}
	return h, nil
}

// ErrReplaced is the cause of Serve's context where another process has taken the
// listener over.
var ErrReplaced = errors.New("a new gateway has taken over")

// goodbye is how long kept connections go on being served where another process has
// taken over, each until its next answer: nobody writes to one that is just closing.
const goodbye = time.Second

// Serve answers on ln until ctx ends, then drains: it takes no new connection,
// tells the sockets, and lets requests in flight finish. It returns nil when it
// stopped because it was told to.
func (h *Host) Serve(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{
		Handler:           answering(h.Middleware(h)),
		ReadHeaderTimeout: h.Timeouts.Header,
		IdleTimeout:       h.Timeouts.Idle,
		WriteTimeout:      h.Timeouts.Write, // renewed by every write of a stream
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(h.Log.Handler(), slog.LevelDebug),
	}
	go h.upstreams.watch(h.draining)
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	wait := h.Timeouts.Drain
	if errors.Is(context.Cause(ctx), ErrReplaced) {
		wait = h.Timeouts.Replaced
		_ = ln.Close() // the other process has it, too
		h.leaving.Store(true)
		time.Sleep(goodbye)
	}
	return h.drain(context.WithoutCancel(ctx), srv, wait)
}

func (h *Host) drain(ctx context.Context, srv *http.Server, wait time.Duration) error {
	h.Log.Info("draining", "for", wait.String())
	ctx, cancel := context.WithTimeout(ctx, wait)
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
	h.mayClose(w.Header())
	if r.ContentLength != 0 {
		// Whatever happens to the body, also when nobody reads it, has an end.
		_ = rc.SetReadDeadline(started.Add(h.Timeouts.Body))
	}
	if len(r.TransferEncoding) > 0 {
		// A Content-Length beside it is gone by now. Whoever came between may have
		// gone by that one, and take what follows for another client's
		// (RFC 9112, 6.1).
		w.Header().Set("Connection", "close")
	}
	d, err := h.decide(w, r)
	r.Pattern = d.Route // for whoever stands around this handler
	status := 0
	defer func() {
		if status == 0 {
			status = brokenOff(r)
		}
		took := h.Now().Sub(started)
		h.Seen.Answered(d.Route, r.Method, kindOf(d), status, took)
		h.logRequest(r, d, status, took)
	}()
	if err != nil {
		status = h.refuse(w, r, d, err)
		return
	}
	status = h.carry(w, r, d)
}

// brokenOff returns the status of an answer that ended in a panic: whoever watches
// must be able to tell a client that went away from an agent that failed.
func brokenOff(r *http.Request) int {
	if r.Context().Err() != nil {
		return fault.CodeCancelled.Status()
	}
	return http.StatusBadGateway
}

// carry does what the core decided and returns the status of the answer.
func (h *Host) carry(w http.ResponseWriter, r *http.Request, d edge.Decision) int {
	switch {
	case d.Respond != nil:
		return respond(w, r, d.Header, d.Respond.Status, d.Respond.Body)
	case d.Asset != nil:
		return h.asset(w, r, d)
	case d.Forward != nil:
		return h.forward(w, r, d)
	case d.Socket != nil:
		return h.accept(w, r, d)
	}
	return h.refuse(w, r, d, fault.Internal(errors.New("the core decided nothing")))
}

// mayClose ends a kept connection with this answer, where this process leaves.
func (h *Host) mayClose(header http.Header) {
	if h.leaving.Load() {
		header.Set("Connection", "close")
	}
}

// known are the facts that are at hand.
func (h *Host) known() edge.Facts {
	f := h.facts
	f.Agents = h.upstreams.present()
	return f
}

func kindOf(d edge.Decision) string {
	if d.Forward != nil && d.Forward.Stream {
		return KindStream
	}
	return KindPlain
}

// Sockets is how many WebSockets are open.
func (h *Host) Sockets() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.sockets)
}

// Draining reports whether the host has begun to stop.
func (h *Host) Draining() bool { return h.draining.Err() != nil }

// decide answers the core's questions until it has decided.
func (h *Host) decide(w http.ResponseWriter, r *http.Request) (edge.Decision, error) {
	head := edge.Head{
		Method: r.Method, Target: r.URL.RequestURI(), Host: r.Host, TLS: r.TLS != nil,
		RemoteAddr: r.RemoteAddr, Header: r.Header, Length: r.ContentLength,
	}
	facts := h.known()
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
			ready := h.upstreams.isReady(r.Context())
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
	case status >= 400, r.URL.Path == chat.PathLogin:
		level = slog.LevelInfo
	}
	if !h.Log.Enabled(r.Context(), level) {
		return
	}
	h.Log.LogAttrs(r.Context(), level, "request", slog.String("method", r.Method), slog.String("path", r.URL.Path),
		slog.Int("status", status), slog.Duration("took", took), slog.String("user", d.User), slog.String("requestId", d.RequestID))
}

var _ http.Handler = (*Host)(nil)
