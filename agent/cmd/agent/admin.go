package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/loongclaw/loongclaw/telemetry/program"
)

// admin answers whoever operates this, on an address of its own, until it is closed:
// also while the agent starts and while it drains.
func admin(addr string, h http.Handler, log *slog.Logger) (func() error, error) {
	if addr == "" {
		return func() error { return nil }, nil
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("AGENT_ADMIN_LISTEN_ADDR: %w\nNext: stop what listens there, or choose another address", err)
	}
	return program.ServeAdmin(ln, h, log), nil
}
