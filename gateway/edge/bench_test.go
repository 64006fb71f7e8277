package edge

import (
	"net/http"
	"testing"
	"time"
)

// usual is a request as a program of another origin sends it.
func usual() Head {
	return request(http.MethodGet, "/api/history/default", "Origin", "https://app.example.com", "Accept", "*/*", "User-Agent", "test/1.0")
}

// BenchmarkDecide is the decision to forward a request with a token, a limit and an
// origin that is let in.
func BenchmarkDecide(b *testing.B) {
	c := newCore(b, func(cfg *Config) {
		cfg.Now, cfg.NewID = time.Now, nil
	})
	h, f := usual(), generous()
	b.ReportAllocs()
	for b.Loop() {
		if d := c.Decide(h, f); d.Forward == nil {
			b.Fatalf("got %+v", d)
		}
	}
}

// What every request costs must not grow unnoticed.
func TestADecisionAllocatesLittle(t *testing.T) {
	c := newCore(t, func(cfg *Config) { cfg.NewID = nil })
	h, f := usual(), generous()
	c.Decide(h, f) // signs the pass, which serves those that follow
	const most = 26
	if n := testing.AllocsPerRun(100, func() { c.Decide(h, f) }); n > most {
		t.Errorf("%v allocations for a decision, want at most %d", n, most)
	}
}
