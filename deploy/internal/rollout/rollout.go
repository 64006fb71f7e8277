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

// Failure is why a rollout did not stay. Its text is for people.
type Failure struct {
	Step   string // what was being done
	Seen   error  // what was seen
	Serves Slot   // what serves now; empty where nothing does
	Stuck  error  // what could not be undone, if anything
}

func (r *Failure) Error() string {
	end := fmt.Sprintf("%s serves as before", r.Serves)
	switch {
	case r.Stuck != nil:
		end = fmt.Sprintf("NOT everything could be undone: %v\nNext: see what serves, and `make rollback` if it is not %s", r.Stuck, r.Serves)
	case r.Serves == "":
		end = "nothing serves"
	}
	return fmt.Sprintf("%s: %v\n%s", r.Step, r.Seen, end)
}

func (r *Failure) Unwrap() []error { return []error{r.Seen, r.Stuck} }

// Deploy puts the new image where nobody is, proves it, and lets it serve.
func (r *Rollout) Deploy(ctx context.Context) error {
	was, err := r.Platform.State(ctx)
	if err != nil {
		return err
	}
	if was.Serves == "" {
		return r.first(ctx)
	}
	if was.Images[was.Serves] == was.Next && was.Next != "" {
		r.say("nothing has changed: %s serves %s already", was.Serves, was.Next)
		return nil
	}
	next := was.Serves.Other()
	r.say("%s serves %s; %s goes into %s", was.Serves, was.Images[was.Serves], was.Next, next)
	if err := r.Platform.Fill(ctx, next); err != nil {
		return r.stays(ctx, was.Serves, next, "the new image could not be put into "+string(next), err)
	}
	if err := r.try(ctx, was.Serves, next); err != nil {
		return r.stays(ctx, was.Serves, next, "the canary in "+string(next), err)
	}
	return r.promote(ctx, was.Serves, next)
}

// first is the deploy before which there was nothing, and after which there is
// nothing to go back to.
func (r *Rollout) first(ctx context.Context) error {
	r.say("the first deploy: it goes into %s", Blue)
	if err := r.Platform.Fill(ctx, Blue); err != nil {
		return r.stays(ctx, "", Blue, "the image could not be put into blue", err)
	}
	if err := r.try(ctx, "", Blue); err != nil {
		return r.stays(ctx, "", Blue, "the canary in blue", err)
	}
	if err := r.Platform.Serve(ctx, Blue); err != nil {
		return r.stays(ctx, "", Blue, "the switch to blue", err)
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
		return r.stays(ctx, old, next, "the figures before the switch", err)
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
	if !now.Kept[to] {
		return fmt.Errorf("%s holds %s, which was red or was never tried: that is no way back\nNext: make deploy, from the sources of the generation that you want", to, now.Images[to])
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

// stays and back work after an interrupt, too: what is half done is undone, and an
// unwatched generation does not stay.
func (r *Rollout) stays(ctx context.Context, serves, red Slot, step string, seen error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	why := &Failure{Step: step, Seen: seen, Serves: serves, Stuck: r.Platform.Discard(ctx, red)}
	r.say("RED, the switch stays: %s", oneLine(why))
	return why
}

func (r *Rollout) back(ctx context.Context, old Slot, step string, seen error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	red := &Failure{Step: step, Seen: seen, Serves: old}
	red.Stuck = r.Platform.Serve(ctx, old)
	if red.Stuck == nil {
		red.Stuck = errors.Join(r.Platform.Keep(ctx), r.Platform.Discard(ctx, old.Other()))
	}
	r.say("RED, the switch goes back: %s", oneLine(red))
	return red
}

// undoTime is how long undoing may take.
const undoTime = 2 * time.Minute

func (r *Rollout) say(format string, args ...any) {
	_, _ = fmt.Fprintf(r.Out, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// Status tells what is where.
func (r *Rollout) Status(ctx context.Context) error {
	now, err := r.Platform.State(ctx)
	if err != nil {
		return err
	}
	if now.Serves == "" {
		r.say("nothing serves yet")
	}
	for _, slot := range []Slot{Blue, Green} {
		if now.Images[slot] == "" {
			continue
		}
		f, err := r.Platform.Figures(ctx, slot, time.Now().Add(-r.Rules.Watch))
		if err != nil {
			return err
		}
		what := "waits"
		switch {
		case slot == now.Serves:
			what = "serves"
		case !now.Kept[slot]:
			what = "was red, or never tried"
		}
		r.say("%s: %s, %s; in the last %v: %v", slot, now.Images[slot], what, r.Rules.Watch, f)
	}
	return nil
}
