package rollout

import (
	"context"
	"fmt"
	"time"
)

// Rules say when figures are red.
type Rules struct {
	Watch time.Duration // how long after the switch
	Every time.Duration // between two looks
	// Failed is the share of failures above which a generation is red, of at least
	// Enough requests. What failed before it does not count against it: it may be as
	// bad as the old one was.
	Failed float64
	Enough int
	// Slower is how many times the P95 of the generation before may be reached, and
	// Slow a P95 that is never red.
	Slower float64
	Slow   time.Duration
}

// Usual are the rules of `make deploy`.
var Usual = Rules{Watch: 5 * time.Minute, Every: 5 * time.Second, Failed: 0.02, Enough: 20, Slower: 3, Slow: 500 * time.Millisecond}

// handful is how many failures count when there are hardly any requests.
const handful = 3

// maxBlind is how many looks in a row may fail before not seeing counts as red.
const maxBlind = 3

// watch looks until the time is over or something is red.
func (r *Rollout) watch(ctx context.Context, slot Slot, before Figures, since time.Time) error {
	tick := time.NewTicker(r.Rules.Every)
	defer tick.Stop()
	end := time.NewTimer(r.Rules.Watch)
	defer end.Stop()
	var seen Figures
	for blind, over := 0, false; ; {
		select {
		case <-ctx.Done():
			return fmt.Errorf("interrupted: %w", ctx.Err())
		case <-end.C:
			over = true // one more look
		case <-tick.C:
		}
		now, err := r.Platform.Figures(ctx, slot, since)
		switch {
		case err != nil && ctx.Err() != nil:
			continue
		case err != nil:
			if blind++; blind >= maxBlind || over {
				return fmt.Errorf("its figures cannot be seen: %w", err)
			}
			continue
		}
		blind, seen = 0, now
		if err := r.Rules.judge(now, before); err != nil {
			return err
		}
		if over {
			r.say("watched for %v: %v; before: %v", r.Rules.Watch, seen, before)
			return nil
		}
	}
}

// judge says what is red, if anything.
func (r Rules) judge(now, before Figures) error {
	failed := max(r.Failed, before.failed())
	if now.Requests >= r.Enough && now.failed() > failed {
		return fmt.Errorf("too many failures: %v, more than %.1f %%; before: %v", now, 100*failed, before)
	}
	// Where few ask, few must do: most of a handful.
	if now.Failures >= handful && now.failed() > 0.5 && now.failed() > before.failed() {
		return fmt.Errorf("most requests fail: %v; before: %v", now, before)
	}
	slow := max(r.Slow, time.Duration(r.Slower*float64(before.P95)))
	if now.Requests >= r.Enough && now.P95 > slow {
		return fmt.Errorf("too slow: %v, more than %v; before: %v", now, slow, before)
	}
	return nil
}

func (f Figures) failed() float64 {
	if f.Requests == 0 {
		return 0
	}
	return float64(f.Failures) / float64(f.Requests)
}

func (f Figures) String() string {
	if f.Requests == 0 {
		return "no requests"
	}
	return fmt.Sprintf("%d of %d requests failed (%.1f %%), P95 %v", f.Failures, f.Requests, 100*f.failed(), f.P95)
}
