package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
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
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	go func() {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the admin listener ended", slog.Any("err", err))
		}
	}()
	log.Info("metrics", slog.String("addr", ln.Addr().String()))
	return srv.Close, nil
}
