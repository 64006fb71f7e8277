package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// The revisions with which a connection is begun: the newest, whose first request
// older programs may take for the end of the world, and the last one before it.
const (
	newest = "2026-07-28"
	older  = "2025-11-25"
)

// maxPages bounds in how many parts a server gives its list.
const maxPages = 500

// connection is one session with a server. Its requests may be made at the same time.
type connection struct {
	session *sdk.ClientSession
	child   *child  // nil over HTTP
	web     *headed // nil over stdio
	raw     sdk.Connection
	done    chan struct{} // the session has ended
	closing sync.Once
	over    atomic.Bool // it is ending: no request is made any more
}

// dial is what a connection is made of.
type dial struct {
	entry     Entry // with its values filled in
	programs  Programs
	patience  time.Duration // until it has answered
	client    *http.Client
	listening func() // the server says that its list has changed
	version   string // of this agent
}

// connect begins a session. The revision that a server took last is tried first: a
// program that ends at a request which it does not know never sees the next one.
func connect(ctx context.Context, d dial, last string) (*connection, error) {
	order := []string{newest, older}
	if last != "" && last != newest {
		order = []string{last, newest}
	}
	var first error
	for _, revision := range order {
		c, err := d.try(ctx, revision)
		if err == nil {
			return c, nil
		}
		if first == nil || ctx.Err() == nil {
			first = err
		}
		if r := (*reached)(nil); ctx.Err() != nil || errors.As(err, &r) && r.authorize {
			break
		}
	}
	return nil, first
}

func (d dial) try(ctx context.Context, revision string) (*connection, error) {
	ctx, cancel := context.WithTimeout(ctx, d.patience)
	defer cancel()
	c := &connection{done: make(chan struct{})}
	var transport sdk.Transport
	if d.entry.kind() == overStdio {
		var err error
		if c.child, err = start(d.entry, d.programs); err != nil {
			return nil, err
		}
		transport = &sdk.IOTransport{Reader: c.child.stdout, Writer: c.child.stdin, MaxLineLength: maxRead}
	} else {
		c.web, _ = d.client.Transport.(*headed)
		transport = &sdk.StreamableClientTransport{Endpoint: d.entry.URL, HTTPClient: d.client, MaxRetries: 2, MaxEventSize: maxRead}
	}
	client := sdk.NewClient(&sdk.Implementation{Name: "loongclaw", Version: d.version}, &sdk.ClientOptions{
		Logger:                 slog.New(slog.DiscardHandler),
		Capabilities:           &sdk.ClientCapabilities{}, // nothing: no roots, no sampling, no questions to the user
		ToolListChangedHandler: func(context.Context, *sdk.ToolListChangedRequest) { d.listening() },
		MultiRoundTrip:         &sdk.MultiRoundTripOptions{Disabled: true},
	})
	client.AddSendingMiddleware(uncached)
	// The session begins in a goroutine of its own: a program that does not read
	// holds the writing of a request, whatever the context says.
	type begun struct {
		session *sdk.ClientSession
		err     error
	}
	result := make(chan begun, 1)
	go func() {
		s, err := client.Connect(ctx, &kept{transport, c}, &sdk.ClientSessionOptions{ProtocolVersion: revision})
		result <- begun{s, err}
	}()
	var b begun
	select {
	case b = <-result:
	case <-ctx.Done():
		select {
		case b = <-result:
		case <-time.After(endPatience):
			c.end()
			b = <-result
		}
	}
	if b.err != nil {
		why := c.explain(ctx, b.err)
		c.end()
		close(c.done)
		return nil, why
	}
	c.session = b.session
	go func() {
		_ = c.session.Wait() // why it ended is told by who was waiting for an answer
		c.end()
		close(c.done)
	}()
	return c, nil
}

// kept notes the connection that a transport made: a session that does not come to
// be may leave it open.
type kept struct {
	sdk.Transport
	c *connection
}

func (k *kept) Connect(ctx context.Context) (sdk.Connection, error) {
	raw, err := k.Transport.Connect(ctx)
	k.c.raw = raw
	return raw, err
}

// uncached lets no list of tools be kept for later: a server that could say for how
// long its list counts could change its tools meanwhile.
func uncached(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
		res, err := next(ctx, method, req)
		if list, ok := res.(*sdk.ListToolsResult); ok && list != nil {
			list.TTLMs = 0
		}
		return res, err
	}
}

// end ends the session and the program, and waits for the program.
func (c *connection) end() {
	c.over.Store(true)
	c.closing.Do(func() {
		if c.child != nil {
			c.child.stop() // first: it may hold what the session waits for
		}
		if c.raw != nil {
			go func() { _ = c.raw.Close() }()
		}
		if c.session != nil {
			go func() { _ = c.session.Close() }()
		}
	})
}

// protocol is the revision that is spoken.
func (c *connection) protocol() string {
	if r := c.session.InitializeResult(); r != nil {
		return r.ProtocolVersion
	}
	return ""
}

// hasEnded reports whether the session is over.
func (c *connection) hasEnded() bool {
	if c.over.Load() {
		return true
	}
	select {
	case <-c.done:
		return true
	case <-time.After(100 * time.Millisecond): // it is told a little after who waited for an answer
		return false
	}
}

// listIn reads all definitions, within a time.
func (c *connection) listIn(ctx context.Context, limit time.Duration) ([]*sdk.Tool, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return c.list(ctx)
}

// list reads all definitions.
func (c *connection) list(ctx context.Context) ([]*sdk.Tool, error) {
	var all []*sdk.Tool
	size := 0
	p := &sdk.ListToolsParams{}
	for range maxPages {
		page, err := request(ctx, c, func(ctx context.Context) (*sdk.ListToolsResult, error) { return c.session.ListTools(ctx, p) })
		if err != nil {
			return nil, err
		}
		if all = append(all, page.Tools...); len(all) > maxTools {
			return nil, fmt.Errorf("it has more than %d tools", maxTools)
		}
		for _, t := range page.Tools {
			b, err := json.Marshal(t) // each part was within bounds; together they need not be
			if err != nil {
				return nil, fmt.Errorf("its definitions: %w", err)
			}
			size += len(b)
		}
		if size > maxDefinitions {
			return nil, fmt.Errorf("its definitions have more than %d MiB together", maxDefinitions>>20)
		}
		if page.NextCursor == "" {
			return all, nil
		}
		p = &sdk.ListToolsParams{Cursor: page.NextCursor}
	}
	return nil, fmt.Errorf("it gives its tools in more than %d parts", maxPages)
}

// call calls a tool.
func (c *connection) call(ctx context.Context, tool string, args any) (*sdk.CallToolResult, error) {
	return request(ctx, c, func(ctx context.Context) (*sdk.CallToolResult, error) {
		return c.session.CallTool(ctx, &sdk.CallToolParams{Name: tool, Arguments: args})
	})
}

// request makes a request. One that was given up ends the connection, since what
// comes of it later, or does not, would stand in the way of the next one.
func request[T any](ctx context.Context, c *connection, do func(context.Context) (T, error)) (T, error) {
	if c.child != nil {
		c.child.stdout.asked()
	}
	type answer struct {
		got T
		err error
	}
	result := make(chan answer, 1)
	go func() {
		got, err := do(ctx)
		result <- answer{got, err}
	}()
	var a answer
	select {
	case a = <-result:
	case <-ctx.Done():
		c.over.Store(true)
		go c.end()
		a.err = ctx.Err()
	case <-c.done:
		select {
		case a = <-result:
		case <-time.After(endPatience):
			a.err = errors.New("the connection ended")
		}
	}
	if a.err != nil {
		return a.got, c.explain(ctx, a.err)
	}
	return a.got, nil
}

// explain says what an error means to who set the server up. What the server itself
// says is foreign, and is left out.
func (c *connection) explain(ctx context.Context, err error) error {
	var f *reached
	switch {
	case c.child != nil && c.childReason() != "":
		return errors.New(c.childReason())
	case c.web != nil && c.web.tooMuch.Swap(false):
		return errRead
	case c.web != nil && c.web.refused.Load() != nil:
		return c.web.refused.Load()
	case errors.As(err, &f):
		return f
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return errSlow
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return protocolError(err)
}

func (c *connection) childReason() string {
	if c.child == nil {
		return ""
	}
	return c.child.reason()
}
