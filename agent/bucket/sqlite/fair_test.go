package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// TestABusyProcessDoesNotKeepAnotherWaiting: one store commits without a pause, and a
// single write into the same file through another one gets its turn.
func TestABusyProcessDoesNotKeepAnotherWaiting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	busy, other := open(t, path), open(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for w := range 64 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if _, err := busy.Put(ctx, fmt.Sprintf("u/%d/files/%d", w, i), make([]byte, 700)); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	var took []time.Duration
	for i := range 40 {
		began := time.Now()
		if _, err := other.Put(t.Context(), fmt.Sprintf("u/other/files/%d", i), nil); err != nil {
			t.Error(err)
		}
		took = append(took, time.Since(began))
	}
	cancel()
	wg.Wait()
	slices.Sort(took)
	t.Logf("median %v, longest %v", took[len(took)/2], took[len(took)-1])
	if longest := took[len(took)-1]; longest > 2*time.Second {
		t.Errorf("a write has waited %v for another process", longest)
	}
}
