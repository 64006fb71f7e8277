package native

import (
	"context"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/gateway/host/native/h1"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/sse"
)

// NewTransport is the way to the agents: connections are kept, nothing is
// compressed on the way, and no proxy of the environment comes between.
func NewTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 3 * time.Second, KeepAlive: 30 * time.Second}
	t := &http.Transport{
		DialContext:         dialer.DialContext,
		MaxIdleConnsPerHost: 1024,
		// Shorter than the agent's own: a connection that it closes while we
		// write to it is a request that nobody may repeat.
		IdleConnTimeout: 30 * time.Second,
		// A body that is passed on as it comes waits so long for the agent to want it.
		ExpectContinueTimeout: time.Second,
		DisableCompression:    true,
		Protocols:             http1(),
	}
	h1.Register(t)
	t.DialContext = hearing(t.DialContext) // h1 writes all before it reads, and looks at its sockets
	return t
}

func http1() *http.Protocols {
	var p http.Protocols
	p.SetHTTP1(true)
	return &p
}

// errDraining is why a request to an agent was ended from here, besides edge.ErrAgentSlow.
var errDraining = fault.New(fault.CodeDraining, "this gateway is about to stop", "connect again")

// forward sends a request on to the agent and its answer back.
func (h *Host) forward(w http.ResponseWriter, r *http.Request, d edge.Decision) int {
	f, client := d.Forward, newClientWriter(w, h.Timeouts.Write)
	body, err := h.takeBody(w, r, d)
	if err != nil {
		return h.refuse(w, r, d, err)
	}
	defer body.end()
	if f.Stream {
		out, ok := h.open.stream(d.User)
		if !ok {
			return h.refuse(w, r, d, edge.TooManyOpen(edge.OpenStreams))
		}
		defer out()
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	wait := h.Timeouts.Agent
	if f.Stream {
		wait = h.Timeouts.AgentStream
	}
	late := time.AfterFunc(wait, func() { cancel(edge.ErrAgentSlow) })
	defer late.Stop()
	body.progress = func() { late.Reset(wait) } // a slow client is no slow agent
	resp, err := h.roundTrip(ctx, f.Upstreams, body.gone, func(agent string) (*http.Request, error) { return upstream(ctx, agent, f, r, body) })
	client.renewDeadline(h.Now()) // a slow model has made it old
	if err != nil {
		if broke := body.broken(); broke != nil {
			return h.refuse(w, r, d, bodyFault(w, broke))
		}
		if r.Context().Err() != nil {
			// Nobody knows what the agent took, so a client that only closed its
			// sending side must not read that it was taken.
			panic(http.ErrAbortHandler)
		}
		return h.refuse(w, r, d, agentFault(ctx, err))
	}
	defer func() { _ = resp.Body.Close() }()
	body.answered()
	if resp.StatusCode == http.StatusUnauthorized {
		return h.refuse(w, r, d, edge.ErrPassRefused)
	}
	stream := f.Stream && isEventStream(resp.Header)
	if stream {
		late.Stop()
		if f.Method == http.MethodGet {
			// Such a stream has no end to wait for, and its client knows how to go on.
			defer context.AfterFunc(h.draining, func() { cancel(errDraining) })()
		}
	}
	return h.relayAnswer(client, r, d, &answer{resp, stream, func() {
		if !stream {
			late.Reset(wait) // a large answer to a slow client is no slow agent
		}
	}})
}

// answer is an agent's answer on its way to the client.
type answer struct {
	*http.Response
	stream   bool
	progress func() // something arrived
}

// upstream is the request as the agent gets it.
func upstream(ctx context.Context, agent string, f *edge.Forward, r *http.Request, body *body) (*http.Request, error) {
	base, err := url.Parse(agent)
	if err != nil {
		return nil, err
	}
	header := make(http.Header, len(r.Header)+len(f.Set))
	setEndToEnd(header, r.Header, f.Drop)
	delete(header, "Expect") // the client has been told, or is told when the agent wants the body
	setAll(header, f.Set)
	if _, ok := header["User-Agent"]; !ok {
		header["User-Agent"] = nil // else net/http sets its own
	}
	// Opaque goes onto the wire byte for byte, and the pass is bound to it.
	req := &http.Request{
		Method: f.Method, URL: &url.URL{Scheme: base.Scheme, Host: base.Host, Opaque: f.Target}, Host: base.Host,
		Header: header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	body.onto(req)
	return req.WithContext(ctx), nil
}

// agentFault says what went wrong on the way to the agent.
func agentFault(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, edge.ErrAgentSlow) || errors.Is(cause, errDraining) {
		return cause
	}
	if isDialError(err) {
		return fault.Wrap(err, fault.CodeUnavailable, "the agent cannot be reached", "it may be starting: try again; else start it, or correct AGENT_URL").After(2 * time.Second)
	}
	return fault.Wrap(err, fault.CodeAgentFailed, "the agent broke off", "try again; if it stays, look at the agent's log")
}

func isEventStream(h http.Header) bool { return hasType(h, "text/event-stream") }

// hasType reports whether a message's body is of a media type, which is in lower case.
func hasType(h http.Header, want string) bool {
	text := h.Get("Content-Type")
	if text == want {
		return true // as agents write it
	}
	kind, _, err := mime.ParseMediaType(text)
	return err == nil && kind == want
}

// relayAnswer sends the agent's answer to the client, each piece at once.
func (h *Host) relayAnswer(w *clientWriter, r *http.Request, d edge.Decision, resp *answer) int {
	header := w.Header()
	setEndToEnd(header, resp.Header, nil)
	h.mayClose(header)
	setAll(header, d.Header)
	var out io.Writer = w
	end, zipped := func() error { return nil }, zips(r, resp, header)
	if zipped {
		out, end = zipper(w)
	}
	w.WriteHeader(resp.StatusCode)
	if r.Method == http.MethodHead {
		return resp.StatusCode
	}
	flush := resp.stream || resp.ContentLength < 0 && !zipped
	if flush {
		_ = w.rc.Flush()
	}
	boundary, err := h.copyBody(out, w, resp, flush)
	if err == nil {
		err = end()
	}
	if err == nil {
		return resp.StatusCode
	}
	if r.Context().Err() != nil {
		// A client that only closed its sending side still reads, and an end in
		// order would make half an answer a whole one.
		panic(http.ErrAbortHandler)
	}
	if boundary && h.leaving.Load() && errors.Is(context.Cause(resp.Request.Context()), errDraining) {
		return resp.StatusCode // an end in order: its client goes on after its cursor, at the next gateway
	}
	h.Log.Warn("the agent's answer broke off", "path", r.URL.Path, "requestId", d.RequestID, "error", err)
	if resp.stream && boundary {
		e := fault.From(agentFault(resp.Request.Context(), err)).With(d.RequestID)
		_, _ = w.Write(sse.Append(nil, h.failure(d.Dialect, e)))
		_ = w.rc.Flush()
	}
	// The client must not take half an answer for a whole one.
	panic(http.ErrAbortHandler)
}

// failure is an error as the last event of a stream.
func (h *Host) failure(d fault.Dialect, e *fault.Error) sse.Event {
	if d == fault.OpenAI {
		return sse.Event{Data: e.JSON(d)} // its clients know no types of events
	}
	return sse.Event{Type: "error", Data: h.Core.ErrorFrame("", e)}
}

// copyBody copies until the end. An error is the agent's, or the client's, which
// the request's context shows; boundary says that what was sent ends an event.
func (h *Host) copyBody(w io.Writer, client *clientWriter, resp *answer, flush bool) (boundary bool, err error) {
	held := h.buffers.Get().(*[]byte)
	defer h.buffers.Put(held)
	buf := *held
	boundary = true
	var last byte
	for {
		n, err := resp.Body.Read(buf)
		if n > 0 {
			client.renewDeadline(h.Now())
			if _, werr := w.Write(buf[:n]); werr != nil {
				return false, werr
			}
			if flush {
				if ferr := client.rc.Flush(); ferr != nil {
					return false, ferr
				}
			}
			boundary = buf[n-1] == '\n' && (n > 1 && buf[n-2] == '\n' || n == 1 && last == '\n')
			last = buf[n-1]
			resp.progress()
		}
		if errors.Is(err, io.EOF) {
			return boundary, nil
		}
		if err != nil {
			return boundary, err
		}
	}
}
