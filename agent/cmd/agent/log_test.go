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
