package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/rollout"
)

// TestWhoServes reads switches as they are left, at any moment of a rollout.
func TestWhoServes(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	h := &deployment{state: t.TempDir()}
	if err := os.Mkdir(filepath.Join(h.state, "switch"), 0o750); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]rollout.Slot{
		"http://agent-blue:8788\n":                                                                    rollout.Blue,
		"http://agent-blue:8788\nhttp://agent-green:8788 only=canary\n":                               rollout.Blue,
		"http://agent-green:8788 until=2026-01-31T12:00:01Z\nhttp://agent-blue:8788 spare\n":          rollout.Green,
		"http://agent-green:8788 until=2026-01-31T12:00:00Z\nhttp://agent-blue:8788 spare\n":          rollout.Blue,
		"http://agent-green:8788 until=2026-01-31T12:00:01Z share=5\nhttp://agent-blue:8788 spare\n":  rollout.Green, // it died while users moved
		"http://agent-green:8788 until=2026-01-31T12:00:00Z share=90\nhttp://agent-blue:8788 spare\n": rollout.Blue,
		"# nobody\n": "",
	} {
		if err := os.WriteFile(filepath.Join(h.state, "switch", "agents"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		lines, err := h.listed()
		if got := serves(lines, now); err != nil || got != want {
			t.Errorf("%q: %q serves, %v; want %q", text, got, err, want)
		}
	}
}
