package redistest

import (
	"context"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Server is a redis-server that keeps nothing on disk: one that was stopped has
// forgotten everything.
type Server struct {
	URL string

	binary, socket string
	cmd            *exec.Cmd
}

// New starts a server that ends with the test.
func New(t *testing.T) *Server {
	t.Helper()
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("SKIPPED: what gateways share through Redis, since there is no redis-server. Next: apt-get install redis-server")
	}
	socket := filepath.Join(t.TempDir(), "redis.sock")
	s := &Server{URL: "unix://" + socket, binary: binary, socket: socket}
	s.Start(t)
	t.Cleanup(func() { s.Stop(t) })
	return s
}

// Start starts it, also after Stop.
func (s *Server) Start(t *testing.T) {
	t.Helper()
	s.cmd = exec.Command(s.binary, "--port", "0", "--unixsocket", s.socket, "--save", "", "--appendonly", "no", "--dir", filepath.Dir(s.socket)) //nolint:gosec // found in PATH
	said := &strings.Builder{}
	s.cmd.Stdout, s.cmd.Stderr = said, said
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		conn, err := (&net.Dialer{}).DialContext(context.Background(), "unix", s.socket)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(end) {
			s.Stop(t)
			t.Fatalf("redis-server does not listen: %v\n%s", err, said)
		}
	}
}

// Stop kills it.
func (s *Server) Stop(t *testing.T) {
	t.Helper()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}
