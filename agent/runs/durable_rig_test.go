package runs_test

import (
	"context"
	"log/slog"
	"time"

	"github.com/loongclaw/loongclaw/agent/model"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/tools"
)

// resting starts an agent whose sessions come to rest after a time.
func (r *rig) resting(instance string, rest time.Duration) *runs.Manager {
	m, _ := model.New(model.Config{Settings: map[string]model.Provider{"openai": {Key: "key", URL: r.url, Model: "m"}}}, nil, nil)
	return runs.New(runs.Config{
		Bucket: r.store, Model: m, Tools: tools.New(tools.Config{WorkspaceDir: r.t.TempDir(), Worker: ownWorker(r.t)}),
		Persona:  func(context.Context, string) string { return "persona" },
		Instance: instance, MaxRuns: 4, Log: slog.New(slog.NewTextHandler(r.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})), Now: time.Now,
		CheckpointAfter: rest, EvictAfter: time.Hour,
	})
}
