package main

import (
	"context"
	"errors"
)

// silence is a network that swallows everything and closes nothing.
var silence = []toxic{
	{Name: "no way out", Type: "timeout", Stream: "upstream", Toxicity: 1},
	{Name: "no way in", Type: "timeout", Stream: "downstream", Toxicity: 1},
}

// partition cuts the first agent off from the store while both have work, and
// lets it back in. Its clients go on, at both gateways.
func (w *world) partition(ctx context.Context) error {
	if len(w.links) == 0 {
		return errors.New("there is no link to cut")
	}
	if err := wait(ctx, w.Partition/10); err != nil {
		return err
	}
	w.links[0].add(silence)
	if err := wait(ctx, w.Partition); err != nil {
		return err
	}
	w.links[0].clear(ctx)
	return wait(ctx, w.Partition/10)
}
