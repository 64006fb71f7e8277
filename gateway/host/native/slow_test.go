package native

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A client that is slow at its header is cut, whatever it still sends.
func TestSlowHeadersAreCut(t *testing.T) {
	r := newRig(t, &heard{}, waits(func(w *Wait) { w.Header = 200 * time.Millisecond }))
	for name, text := range map[string]string{
		"nothing": "", "half a line": "GET /api/sta", "a header without an end": "GET /api/stats HTTP/1.1\r\nHost: x\r\nX-Y: ",
	} {
		t.Run(name, func(t *testing.T) {
			conn := r.connect(t)
			_, _ = io.WriteString(conn, text)
			done := make(chan struct{})
			go func() { // one byte now and then keeps it no longer
				defer close(done)
				for text != "" {
					time.Sleep(20 * time.Millisecond)
					if _, err := io.WriteString(conn, "a"); err != nil {
						return
					}
				}
			}()
			answer, err := io.ReadAll(conn)
			if bytes.HasPrefix(answer, []byte("HTTP/1.1 200")) {
				t.Errorf("got %q, %v, want the end", answer, err)
			}
			_ = conn.Close()
			<-done
		})
	}
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	r := newRig(t, &heard{}, waits(func(w *Wait) { w.Idle = 200 * time.Millisecond }))
	answer := r.raw(t, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n") // reads until the gateway closes
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 200")) {
		t.Errorf("got %q", answer)
	}
}

func TestLongHeadersAreRefused(t *testing.T) {
	r := newRig(t, &heard{})
	answer := r.raw(t, "GET /health HTTP/1.1\r\nHost: x\r\nX-Y: "+strings.Repeat("a", 80<<10)+"\r\n\r\n")
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 431")) {
		t.Errorf("got %.100q, want 431", answer)
	}
}

// A body that comes in drops is waited for no longer than it may take.
func TestSlowBodiesAreCut(t *testing.T) {
	agent := &heard{}
	r := newRig(t, agent, waits(func(w *Wait) { w.Body = 300 * time.Millisecond }))
	conn := r.connect(t)
	_, _ = io.WriteString(conn, "POST /api/chat HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+aliceToken+"\r\nContent-Length: 1000\r\n\r\n")
	go func() {
		for {
			time.Sleep(20 * time.Millisecond)
			if _, err := io.WriteString(conn, "x"); err != nil {
				return
			}
		}
	}()
	answer, _ := io.ReadAll(conn)
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 408")) || len(agent.take()) != 0 {
		t.Errorf("got %.200q, want 408 and no request to the agent", answer)
	}
}

// A client that does not read is cut, and the agent's request with it: what it
// would have read is held nowhere.
func TestSlowReadersAreCut(t *testing.T) {
	for name, kind := range map[string]string{"a stream": "text/event-stream", "a file": "application/octet-stream"} {
		t.Run(name, func(t *testing.T) {
			gone := make(chan struct{})
			r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(gone)
				w.Header().Set("Content-Type", kind)
				line := append(bytes.Repeat([]byte("x"), 64<<10), "\n\n"...)
				copy(line, "data: ")
				for r.Context().Err() == nil {
					if _, err := w.Write(line); err != nil {
						return
					}
					_ = http.NewResponseController(w).Flush()
				}
			}), waits(func(w *Wait) { w.Write = 300 * time.Millisecond }))
			conn := r.connect(t)
			_, _ = io.WriteString(conn, "GET /api/sessions/s/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+aliceToken+"\r\n\r\n")
			select {
			case <-gone:
			case <-time.After(20 * time.Second):
				t.Error("the agent still writes for a client that does not read")
			}
		})
	}
}

// A frame that comes in drops keeps its socket no longer than a ping may take.
func TestSlowFramesAreCut(t *testing.T) {
	r := newRig(t, newTalker(), waits(func(w *Wait) { w.Ping, w.Pong = 100*time.Millisecond, 300*time.Millisecond }))
	conn := r.connect(t)
	_, _ = io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+aliceToken+
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	// A masked text frame of 60,000 bytes, of which one comes now and then.
	_, _ = conn.Write([]byte{0x81, 0xFE, 0xEA, 0x60, 0, 0, 0, 0})
	go func() {
		for {
			time.Sleep(20 * time.Millisecond)
			if _, err := io.WriteString(conn, "x"); err != nil {
				return
			}
		}
	}()
	answer, err := io.ReadAll(conn) // until the gateway cuts it
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 101")) {
		t.Fatalf("got %.200q, %v", answer, err)
	}
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		t.Error("the socket is still open")
	}
}
