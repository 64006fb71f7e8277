package tools_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/tools"
)

// deaf is a tool that ends when it wants to.
type deaf struct{ release chan struct{} }

func (deaf) Spec() loop.Spec      { return loop.Spec{Name: "deaf"} }
func (deaf) ReadOnly() bool       { return true }
func (deaf) Foreign() bool        { return false }
func (deaf) Limit() time.Duration { return 20 * time.Millisecond }
func (deaf) Judge(json.RawMessage, tools.Env) tools.Verdict {
	return tools.Verdict{Kind: tools.VerdictRun}
}

func (d deaf) Run(context.Context, json.RawMessage, tools.Env) (string, error) {
	<-d.release
	return "late", nil
}

func TestAToolIsGivenUpAfterItsOwnLimit(t *testing.T) {
	d := deaf{make(chan struct{})}
	box := tools.New(tools.Config{Patience: 20 * time.Millisecond}, d)
	alice, bob := tools.Env{User: "alice"}, tools.Env{User: "bob"}
	for range 8 {
		began := time.Now()
		_, err := box.Run(t.Context(), "deaf", nil, alice)
		if !errors.Is(err, loop.ErrNotEnded) || !strings.HasPrefix(err.Error(), "it did not end") || time.Since(began) > 5*time.Second {
			t.Fatalf("%v after %v, want that it did not end", err, time.Since(began))
		}
	}
	// What was given up holds memory: one user has only so much of it.
	if _, err := box.Run(t.Context(), "deaf", nil, alice); err == nil || errors.Is(err, loop.ErrNotEnded) {
		t.Errorf("the ninth call: %v, want it refused", err)
	}
	if _, err := box.Run(t.Context(), "deaf", nil, bob); !errors.Is(err, loop.ErrNotEnded) {
		t.Errorf("another user's: %v", err)
	}
	close(d.release)
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if out, err := box.Run(t.Context(), "deaf", nil, alice); out == "late" && err == nil {
			return
		} else if time.Now().After(end) {
			t.Fatalf("once they have ended: %q, %v", out, err)
		}
	}
}
