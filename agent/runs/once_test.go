package runs_test

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// A message that comes in the moment in which the run before it has ended is
// answered once, by one goroutine.
func TestAMessageRightAfterAnEndIsAnsweredOnce(t *testing.T) {
	r := newRig(t)
	m := r.sized("a", 64)
	defer stop(t, m, time.Second)
	const sessions, messages = 8, 40
	var all sync.WaitGroup
	for i := range sessions {
		all.Go(func() {
			id := fmt.Sprint("s", i)
			for n := range messages {
				run := start(t, m, id, fmt.Sprint("message ", n))
				for _, e := range read(t, m, id, run.Cursor, finished(run)) {
					if e.Restarted {
						t.Errorf("%s: run %d was started again", id, n)
					}
				}
			}
		})
	}
	all.Wait()
	if got := len(r.provider.Requests()); got != sessions*messages {
		t.Errorf("the model was asked %d times for %d messages", got, sessions*messages)
	}
}
