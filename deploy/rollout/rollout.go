package rollout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Rollout brings a new image to a platform, and back.
type Rollout struct {
	Platform Platform
	Rules    Rules
	// Patience is how long the canary waits for an agent that starts.
	Patience time.Duration
	Out      io.Writer
}

// Red is why a rollout did not stay. Its text is for people.
type Red struct {
	Step   string // what was being done
	Seen   error  // what was seen
	Serves Slot   // what serves now; empty where nothing does
	Stuck  error  // why the switch could not be taken back, if it could not
}

func (r *Red) Error() string {
	end := fmt.Sprintf("%s serves as before", r.Serves)
	switch {
	case r.Stuck != nil:
		end = fmt.Sprintf("and the switch could NOT be taken back: %v\nNext: make rollback", r.Stuck)
	case r.Serves == "":
		end = "nothing serves"
	}
	return fmt.Sprintf("%s: %v\n%s", r.Step, r.Seen, end)
}

func (r *Red) Unwrap() []error { return []error{r.Seen, r.Stuck} }

// Deploy puts the new image where nobody is, proves it, and lets it serve.
func (r *Rollout) Deploy(ctx context.Context) error {
	was, err := r.Platform.State(ctx)
	if err != nil {
		return err
	}
	if was.Serves == "" {
		return r.first(ctx)
	}
	if was.Images[was.Serves] == was.Next {
		r.say("nothing has changed: %s serves %s already", was.Serves, was.Next)
		return nil
	}
	next := was.Serves.Other()
	r.say("%s serves %s; %s goes into %s", was.Serves, was.Images[was.Serves], was.Next, next)
	if err := r.Platform.Fill(ctx, next); err != nil {
		return r.stays(was.Serves, "the new image could not be put into "+string(next), err)
	}
	if err := r.try(ctx, was.Serves, next); err != nil {
		return r.stays(was.Serves, "the canary in "+string(next), err)
	}
	return r.promote(ctx, was.Serves, next)
}

// first is the deploy before which there was nothing, and after which there is
// nothing to go back to.
func (r *Rollout) first(ctx context.Context) error {
	r.say("the first deploy: it goes into %s", Blue)
	if err := r.Platform.Fill(ctx, Blue); err != nil {
		return r.stays("", "the image could not be put into blue", err)
	}
	if err := r.try(ctx, "", Blue); err != nil {
		return r.stays("", "the canary in blue", err)
	}
	if err := r.Platform.Serve(ctx, Blue); err != nil {
		return r.stays("", "the switch to blue", err)
	}
	if err := r.Platform.Keep(ctx); err != nil {
		return err
	}
	r.say("%s serves", Blue)
	return nil
}

// promote moves the switch, watches, and takes it back if need be.
func (r *Rollout) promote(ctx context.Context, old, next Slot) error {
	moved := time.Now()
	before, err := r.Platform.Figures(ctx, old, moved.Add(-r.Rules.Watch))
	if err != nil {
		return r.stays(old, "the figures before the switch", err)
	}
	if err := r.Platform.Serve(ctx, next); err != nil {
		// It may have moved all the same.
		return r.back(ctx, old, "the switch to "+string(next), err)
	}
	r.say("the switch: %s serves, after %v", next, time.Since(moved).Round(time.Millisecond))
	if err := r.watch(ctx, next, before, moved); err != nil {
		return r.back(ctx, old, fmt.Sprintf("%s was watched for %v", next, time.Since(moved).Round(time.Second)), err)
	}
	if err := r.Platform.Keep(ctx); err != nil {
		return r.back(ctx, old, "keeping "+string(next), err)
	}
	r.say("%s serves and stays; `make rollback` brings %s back", next, old)
	return nil
}

// Rollback lets the other slot serve again, at once.
func (r *Rollout) Rollback(ctx context.Context) error {
	now, err := r.Platform.State(ctx)
	if err != nil {
		return err
	}
	to := now.Serves.Other()
	if now.Serves == "" || now.Images[to] == "" {
		return errors.New("there is no other generation to go back to\nNext: make deploy")
	}
	begin := time.Now()
	if err := r.Platform.Serve(ctx, to); err != nil {
		return fmt.Errorf("the switch to %s: %w", to, err)
	}
	if err := r.Platform.Keep(ctx); err != nil {
		return fmt.Errorf("keeping %s: %w", to, err)
	}
	r.say("the switch: %s serves %s again, after %v", to, now.Images[to], time.Since(begin).Round(time.Millisecond))
	return nil
}

func (r *Rollout) stays(serves Slot, step string, seen error) error {
	red := &Red{Step: step, Seen: seen, Serves: serves}
	r.say("RED, the switch stays: %s", oneLine(red))
	return red
}

// back works after an interrupt, too: an unwatched generation does not stay.
func (r *Rollout) back(ctx context.Context, old Slot, step string, seen error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	red := &Red{Step: step, Seen: seen, Serves: old}
	red.Stuck = r.Platform.Serve(ctx, old)
	if red.Stuck == nil {
		red.Stuck = r.Platform.Keep(ctx)
	}
	r.say("RED, the switch goes back: %s", oneLine(red))
	return red
}

func (r *Rollout) say(format string, args ...any) {
	_, _ = fmt.Fprintf(r.Out, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
