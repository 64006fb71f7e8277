package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/loongclaw/loongclaw/pkg/sse"
)

// Stream is events as they come, over SSE or a WebSocket.
type Stream interface {
	// Next waits for the next event. At an orderly end it is io.EOF.
	Next() (Event, error)
	// Cut goes away without a goodbye, as a phone in a tunnel does.
	Cut()
}

// maxEvent is the largest event that a client takes.
const maxEvent = 8 << 20

// SSE is an event stream over HTTP.
type SSE struct {
	cancel context.CancelFunc
	res    *http.Response
	r      *sse.Reader
}

// Refused is an answer that is no stream.
type Refused struct{ Answer Answer }

func (r *Refused) Error() string { return "no event stream: " + r.Answer.String() }

// Events follows a session after a cursor.
func (c *Client) Events(ctx context.Context, session, after string) (*SSE, error) {
	path := SessionPath(session, "/events")
	if after != "" {
		path += "?after=" + url.QueryEscape(after)
	}
	return c.stream(ctx, http.MethodGet, path, nil)
}

// Chat posts a message and streams its run.
func (c *Client) Chat(ctx context.Context, session, message string) (*SSE, error) {
	return c.stream(ctx, http.MethodPost, "/api/chat", map[string]any{"message": message, "sessionId": session, "stream": true})
}

// Stream sends any request that is answered with an event stream.
func (c *Client) Stream(ctx context.Context, method, path string, body any, headers ...Header) (*SSE, error) {
	return c.stream(ctx, method, path, body, headers...)
}

func (c *Client) stream(ctx context.Context, method, path string, body any, headers ...Header) (*SSE, error) {
	ctx, cancel := context.WithCancel(ctx)
	headers = append([]Header{{"Accept", "text/event-stream"}}, headers...)
	res, err := c.send(ctx, method, path, body, headers...)
	if err != nil {
		cancel()
		return nil, err
	}
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		b, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
		_ = res.Body.Close()
		cancel()
		return nil, &Refused{Answer{Status: res.StatusCode, Header: res.Header, Body: b}}
	}
	return &SSE{cancel: cancel, res: res, r: sse.NewReader(res.Body, maxEvent)}, nil
}

// Next reads one event and holds its lines to its JSON: "event:" is the type,
// "id:" the cursor.
func (s *SSE) Next() (Event, error) {
	frame, err := s.r.Next()
	if err != nil {
		return Event{}, err
	}
	e, err := parse(frame.Data)
	if err != nil {
		return Event{}, err
	}
	if frame.Type != e.Type {
		return Event{}, fmt.Errorf("event: %q stands over %s", frame.Type, e.Raw)
	}
	if e.Cursor != "" && frame.ID != e.Cursor {
		return Event{}, fmt.Errorf("id: %q stands over %s", frame.ID, e.Raw)
	}
	return e, nil
}

// Cut closes the connection under the stream.
func (s *SSE) Cut() {
	s.cancel()
	_ = s.res.Body.Close()
}

// Page is a piece of a session's events as JSON.
type Page struct {
	Events []Event
	Next   string
}

// Page reads one page of events after a cursor.
func (c *Client) Page(ctx context.Context, session, after string) (Page, error) {
	a, err := c.Do(ctx, http.MethodGet, SessionPath(session, "/events")+"?after="+url.QueryEscape(after), nil, Header{"Accept", "application/json"})
	if err != nil {
		return Page{}, err
	}
	if a.Status != http.StatusOK {
		return Page{}, &Refused{a}
	}
	var body struct {
		Events []json.RawMessage `json:"events"`
		Next   string            `json:"next"`
	}
	if err := a.JSON(&body); err != nil {
		return Page{}, err
	}
	p := Page{Next: body.Next}
	for _, raw := range body.Events {
		e, err := parse(raw)
		if err != nil {
			return Page{}, err
		}
		p.Events = append(p.Events, e)
	}
	return p, nil
}

var _ Stream = (*SSE)(nil)
