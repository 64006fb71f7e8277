package runs_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/runs"
)

// A model with a small window is sent less of a long conversation, before it has to
// refuse it.
func TestASmallWindowIsSentLess(t *testing.T) {
	for _, c := range []struct{ window, most int }{{0, 96 << 10}, {40960, 3 * 32768}, {16384, 3 * 8192}, {4096, 3 * 2048}} {
		r, l := newRig(t), &listener{}
		m := r.start(func(config *runs.Config) {
			config.Model, config.Window, config.CheckpointAfter = l, c.window, time.Hour
		})
		longest := 0
		for n := range 60 {
			sayTo(t, m, "s", fmt.Sprint(n, strings.Repeat(" word", 600)))
			for _, q := range l.taken() {
				if !isSummary(q) {
					longest = max(longest, loop.Size(q.Messages))
				}
			}
		}
		if longest > c.most || longest < c.most/2 {
			t.Errorf("a window of %d tokens was sent %d bytes, want at most %d and more than half of it", c.window, longest, c.most)
		}
		stop(t, m, time.Second)
	}
}
