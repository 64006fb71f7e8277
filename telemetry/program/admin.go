package program

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// ServeAdmin answers whoever operates a program, on an address of its own, until it is
// closed: also while the program starts and while it drains.
func ServeAdmin(ln net.Listener, h http.Handler, log *slog.Logger) (stop func() error) {
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	go func() {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the admin listener ended", "error", err)
		}
	}()
	log.Info("metrics", "address", ln.Addr().String())
	return srv.Close
}
