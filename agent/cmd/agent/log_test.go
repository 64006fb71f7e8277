package main

import (
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/pkg/fault"

	"github.com/loongclaw/loongclaw/agent/model"
)

func TestTheLogHasTheCauseOfAnError(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		var c config
		c.LogFormat, c.LogFile = format, filepath.Join(t.TempDir(), "log")
		var b strings.Builder
		log, closeLog, err := logger(c, &b)
		if err != nil {
			t.Fatal(err)
		}
		log.Error("failed", slog.Any("error", fault.Wrap(errors.New("disk on fire"), fault.CodeStoreFailed, "not stored", "try again")), slog.Int("n", 1))
		if err := closeLog(); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), "store_unavailable: not stored: disk on fire") {
			t.Errorf("%s: the log has %s", format, b.String())
		}
	}
}

// Whatever logs, and however it came to know a secret, the log does not show it.
func TestTheLogHasNoSecrets(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		var c config
		const key = "sk-canary-of-a-model"
		c.LogFormat, c.R2SecretKey = format, `canary "of" <a> store`
		c.providers = map[string]model.Provider{"openai": {Key: key}}
		var b strings.Builder
		log, _, err := logger(c, &b)
		if err != nil {
			t.Fatal(err)
		}
		log.With("provider", "openai with "+key).Error("asked with "+key, slog.Any("error", errors.New(c.R2SecretKey)), slog.Any("config", c.environment), slog.Any("providers", c.providers))
		if strings.Contains(b.String(), "canary") || strings.Count(b.String(), "[secret]") < 3 {
			t.Errorf("%s: the log has %s", format, b.String())
		}
	}
}
