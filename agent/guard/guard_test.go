package guard_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/guard"
)

func TestRun(t *testing.T) {
	if err := guard.Run(func() error { return nil }); err != nil {
		t.Errorf("a task that ends well: %v", err)
	}
	own := errors.New("own")
	if err := guard.Run(func() error { return own }); !errors.Is(err, own) || guard.Find(err) != nil {
		t.Errorf("a task that fails: %v", err)
	}
	err := guard.Run(func() error { panic("out of range") })
	p := guard.Find(fmt.Errorf("around: %w", err))
	if p == nil || !strings.Contains(p.Error(), "out of range") || !strings.Contains(string(p.Stack), "guard_test.go") {
		t.Errorf("a task that panics: %v, %+v", err, p)
	}
}
