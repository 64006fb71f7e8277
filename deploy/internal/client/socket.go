package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/coder/websocket"
)

// Socket is a WebSocket to the gateway.
type Socket struct {
	ctx  context.Context // of the whole connection; its end cuts it
	stop context.CancelFunc
	conn *websocket.Conn
	ID   string // clientId of the connected frame
}

// Dial opens a WebSocket at path with the bearer token and reads its connected
// frame.
func (c *Client) Dial(ctx context.Context, path string) (*Socket, error) {
	h := http.Header{}
	if c.Token != "" {
		h.Set("Authorization", "Bearer "+c.Token)
	}
	return c.DialWith(ctx, path, &websocket.DialOptions{HTTPHeader: h})
}

// DialWith opens a WebSocket in a way of the caller's own. A refusal is a
// *Refused.
func (c *Client) DialWith(ctx context.Context, path string, opts *websocket.DialOptions) (*Socket, error) {
	ctx, stop := context.WithCancel(ctx)
	opts.HTTPClient = c.HTTP
	conn, res, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(c.Base, "http")+path, opts) //nolint:bodyclose // the library closes it
	if err != nil {
		stop()
		if res != nil && res.StatusCode != http.StatusSwitchingProtocols {
			b, _ := io.ReadAll(res.Body)
			return nil, &Refused{Answer{Status: res.StatusCode, Header: res.Header, Body: b}}
		}
		return nil, err
	}
	conn.SetReadLimit(maxEvent)
	s := &Socket{ctx: ctx, stop: stop, conn: conn}
	e, err := s.Next()
	if err != nil {
		s.Cut()
		return nil, fmt.Errorf("waiting for connected: %w", err)
	}
	if e.Type != "connected" || e.ClientID == "" {
		s.Cut()
		return nil, fmt.Errorf("the first frame is not connected: %s", e.Raw)
	}
	s.ID = e.ClientID
	return s, nil
}

// Send sends a frame of the original's form, its fields under data.
func (s *Socket) Send(typ string, data map[string]any) error {
	b, err := json.Marshal(map[string]any{"type": typ, "data": data})
	if err != nil {
		return err
	}
	return s.SendRaw(b)
}

// SendRaw sends any text frame.
func (s *Socket) SendRaw(b []byte) error { return s.conn.Write(s.ctx, websocket.MessageText, b) }

// SendBinary sends a binary frame.
func (s *Socket) SendBinary(b []byte) error { return s.conn.Write(s.ctx, websocket.MessageBinary, b) }

// Next reads the next frame. When the gateway closed the socket the error is a
// websocket.CloseError; a normal closure is io.EOF.
func (s *Socket) Next() (Event, error) {
	typ, b, err := s.conn.Read(s.ctx)
	if err != nil {
		if websocket.CloseStatus(err) == websocket.StatusNormalClosure {
			return Event{}, io.EOF
		}
		return Event{}, err
	}
	if typ != websocket.MessageText {
		return Event{}, errors.New("the gateway sent a binary frame")
	}
	return parse(b)
}

// Cut drops the connection without a close frame.
func (s *Socket) Cut() {
	s.stop()
	_ = s.conn.CloseNow()
}

// Subscribe follows a session after a cursor on a new socket.
func (c *Client) Subscribe(ctx context.Context, session, after string) (*Socket, error) {
	s, err := c.Dial(ctx, "/ws")
	if err != nil {
		return nil, err
	}
	data := map[string]any{"sessionId": session}
	if after != "" {
		data["after"] = after
	}
	if err := s.Send("subscribe", data); err != nil {
		s.Cut()
		return nil, err
	}
	return s, nil
}

// The ways to follow a session.
const (
	OverSSE = "sse"
	OverWS  = "ws"
)

// Follow follows a session after a cursor, over SSE or a WebSocket.
func (c *Client) Follow(ctx context.Context, over, session, after string) (Stream, error) {
	if over == OverWS {
		return c.Subscribe(ctx, session, after)
	}
	return c.Events(ctx, session, after)
}

var _ Stream = (*Socket)(nil)
