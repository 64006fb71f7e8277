package runs_test

import (
	"log/slog"
	"time"

	"github.com/loongclaw/loongclaw/agent/runs"
)

// resting starts an agent whose sessions come to rest after a time.
func (r *rig) resting(instance string, rest time.Duration) *runs.Manager {
	return r.start(func(c *runs.Config) {
		c.Instance, c.CheckpointAfter = instance, rest
		c.Log = slog.New(slog.NewTextHandler(r.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	})
}
