package edgetest

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// bodyCases are the bodies of requests.
func bodyCases() []testCase {
	return []testCase{
		{"a body arrives byte for byte", sameBody},
		{"a file arrives byte for byte, with and without its length", sameFile},
		{"a body at the limit passes", bodyAtLimit},
		{"a body above the limit is 413", bodyAboveLimit},
		{"a body above the limit that did not say its length is 413", chunkedAboveLimit},
		{"a body that breaks off does not reach the agent as a whole one", brokenBody},
		{"a body is not waited for where none is meant", bodyOfRefusal},
	}
}

// chatLimit is how long the body of a chat may be.
const chatLimit = 2 << 20

func sameBody(t *testing.T, s *suite) {
	const message = "你好 🐻💪 \u0000 <script> \\ \" end"
	s.chat(t, alice, message).wantStatus(t, http.StatusOK)
	got := s.agent.only(t)
	if want := `{"message":` + quote(message) + `}`; string(got.body) != want {
		t.Errorf("the agent got %s, want %s", got.body, want)
	}
	if kind := got.header.Get("Content-Type"); kind != "application/json" {
		t.Errorf("Content-Type: the agent got %q, want application/json", kind)
	}
}

func sameFile(t *testing.T, s *suite) {
	content := make([]byte, 1<<20)
	for i := range content {
		content[i] = byte(i * i >> 3 & 0xff)
	}
	for name, body := range map[string]io.Reader{"said": bytes.NewReader(content), "unsaid": unsized{bytes.NewReader(content)}} {
		s.agent.reset()
		s.send(t, call{method: http.MethodPut, path: "/api/files/a.bin", token: alice, body: body}).wantStatus(t, http.StatusOK)
		if got := s.agent.only(t); sha256.Sum256(got.body) != sha256.Sum256(content) {
			t.Errorf("length %s: the agent got %d bytes that are not the file's", name, len(got.body))
		}
	}
}

func bodyAtLimit(t *testing.T, s *suite) {
	for _, body := range []io.Reader{filler(chatLimit), unsized{filler(chatLimit)}} {
		s.agent.reset()
		s.send(t, call{method: http.MethodPost, path: chat.PathChat, token: alice, body: body}).wantStatus(t, http.StatusOK)
		if got := s.agent.only(t); len(got.body) != chatLimit || got.bodyErr != nil {
			t.Errorf("the agent got %d bytes (%v), want %d", len(got.body), got.bodyErr, chatLimit)
		}
	}
}

func bodyAboveLimit(t *testing.T, s *suite) {
	a := s.send(t, call{method: http.MethodPost, path: chat.PathChat, token: alice, body: filler(chatLimit + 1)})
	a.wantFault(t, fault.CodeTooLarge)
	s.wantAgentUntouched(t)
}

func chunkedAboveLimit(t *testing.T, s *suite) {
	a := s.send(t, call{method: http.MethodPost, path: chat.PathChat, token: alice, body: unsized{filler(chatLimit + 1)}})
	a.wantFault(t, fault.CodeTooLarge)
	s.wantAgentUntouched(t)
}

// brokenBody: half a message must never pass for a whole one.
func brokenBody(t *testing.T, s *suite) {
	for _, length := range []string{"Content-Length: 100\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n40\r\n"} {
		conn, err := (&net.Dialer{Timeout: patience}).DialContext(context.Background(), "tcp", strings.TrimPrefix(s.base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, "POST "+chat.PathChat+" HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer "+alice+"\r\n"+length+`{"message":"half`)
		_ = conn.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, conn) // whatever is said to it, until the end
		_ = conn.Close()
	}
	// Requests on other connections are answered, so the broken ones are over.
	s.send(t, call{path: chat.PathStats, token: alice}).wantStatus(t, http.StatusOK)
	for _, got := range s.agent.requests() {
		if got.method == http.MethodPost && got.bodyErr == nil {
			t.Errorf("the agent got %q as a whole body", got.body)
		}
	}
}

func bodyOfRefusal(t *testing.T, s *suite) {
	a := s.send(t, call{method: http.MethodPost, path: chat.PathChat, body: strings.NewReader(`{"message":"hi"}`)})
	a.wantFault(t, fault.CodeUnauthorized)
}

// filler is a body of n bytes.
func filler(n int) *bytes.Reader { return bytes.NewReader(bytes.Repeat([]byte("x"), n)) }

// unsized hides a reader's length, so that it is sent in chunks.
type unsized struct{ io.Reader }

func gzipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func unzipped(t *testing.T, b []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("the body is not compressed: %v", err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
