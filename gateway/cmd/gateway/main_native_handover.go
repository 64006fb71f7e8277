//go:build !js

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/cloudflare/tableflip"

	"github.com/loongclaw/loongclaw/gateway/host/native"
)

// handover lets a new process take the listener over from this one, so that no
// connection is refused while a gateway restarts (docs/adr/0015-the-listener-is-handed-over.md).
type handover struct {
	flip   *tableflip.Upgrader
	reload <-chan os.Signal // SIGHUP
}

// newHandover is called once in a process, and first of all: it finds what the
// process before this one hands over.
func newHandover(reload <-chan os.Signal) (*handover, error) {
	flip, err := tableflip.New(tableflip.Options{PIDFile: os.Getenv("PID_FILE")})
	if errors.Is(err, tableflip.ErrNotSupported) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("taking over from the gateway before this one: %w", err)
	}
	return &handover{flip, reload}, nil
}

// listen gives the listener that was handed over, else a new one.
func (o *handover) listen(ctx context.Context, address string) (net.Listener, error) {
	if o == nil {
		return new(net.ListenConfig).Listen(ctx, "tcp", address)
	}
	return o.flip.Listen("tcp", address)
}

// begin says that this process serves: the one before it stops taking connections.
// What it returns ends when a next one has taken over, or with ctx.
func (o *handover) begin(ctx context.Context, envFile string, log *slog.Logger) (context.Context, error) {
	if o == nil {
		return ctx, nil
	}
	if err := o.flip.Ready(); err != nil {
		return nil, fmt.Errorf("telling the gateway before this one: %w", err)
	}
	ctx, end := context.WithCancelCause(ctx)
	go func() {
		defer o.flip.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-o.flip.Exit():
				signal.Reset(os.Interrupt, syscall.SIGTERM) // from now on they end it at once
				end(native.ErrReplaced)
				return
			case <-o.reload:
				o.replace(ctx, envFile, log)
			}
		}
	}()
	return ctx, nil
}

// replace starts the program anew. One that does not come up changes nothing.
func (o *handover) replace(ctx context.Context, envFile string, log *slog.Logger) {
	if os.Getpid() == 1 {
		log.Error("this gateway is the first process of its container, which would end with it; nothing was done", "next", "replace the container")
		return
	}
	log.Info("restarting: a new gateway takes over")
	if err := o.flip.WaitForParent(ctx); err != nil && ctx.Err() != nil {
		return // stopping; whatever else became of it, it is gone
	}
	undo, err := readEnvFile(envFile)
	if err == nil {
		err = o.flip.Upgrade()
	}
	if err != nil {
		undo()
		log.Error("the new gateway did not come up; this one goes on", "error", err, "next", "look at what it wrote, or run gateway check with the new settings")
	}
}

// readEnvFile takes the variables of ENV_FILE over into the environment: NAME=VALUE
// on each line, # before a comment, quotes around a value left out. undo puts back
// what was there.
func readEnvFile(path string) (undo func(), err error) {
	var undos []func()
	undo = func() {
		for _, f := range undos {
			f()
		}
	}
	if path == "" {
		return undo, nil
	}
	b, err := os.ReadFile(path) //nolint:gosec // whoever runs the gateway names the file
	if err != nil {
		return undo, fmt.Errorf("ENV_FILE: %w\nNext: make it readable, or unset it", err)
	}
	for n, line := range strings.Split(string(b), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || name == "" || strings.ContainsAny(name, " \t\"'") {
			return undo, fmt.Errorf("ENV_FILE: line %d is no NAME=VALUE\nNext: correct it", n+1)
		}
		if k := len(value) - 1; k > 0 && value[0] == value[k] && (value[0] == '"' || value[0] == '\'') {
			value = value[1:k]
		}
		old, had := syscall.Getenv(name)
		undos = append(undos, func() {
			if had {
				_ = os.Setenv(name, old)
			} else {
				_ = os.Unsetenv(name)
			}
		})
		if err := os.Setenv(name, value); err != nil {
			return undo, fmt.Errorf("ENV_FILE: line %d: %w", n+1, err)
		}
	}
	return undo, nil
}
