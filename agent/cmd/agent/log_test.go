package main

import (
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/pkg/fault"
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
		log.Error("failed", slog.Any("err", fault.Wrap(errors.New("disk on fire"), fault.CodeStoreFailed, "not stored", "try again")), slog.Int("n", 1))
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
		c.LogFormat, c.OpenAIKey, c.R2SecretKey = format, "sk-canary-of-a-model", `canary "of" <a> store`
		var b strings.Builder
		log, _, err := logger(c, &b)
		if err != nil {
			t.Fatal(err)
		}
		log.With("provider", "openai with "+c.OpenAIKey).Error("asked with "+c.OpenAIKey, slog.Any("err", errors.New(c.R2SecretKey)), slog.Any("config", c.environment))
		if strings.Contains(b.String(), "canary") || strings.Count(b.String(), "[secret]") < 3 {
			t.Errorf("%s: the log has %s", format, b.String())
		}
	}
}
