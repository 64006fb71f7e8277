package rollout

import (
	"context"
	"time"
)

// Slot is one of the two places for the agent's image.
type Slot string

// The slots.
const (
	Blue  Slot = "blue"
	Green Slot = "green"
)

// Other is the other slot.
func (s Slot) Other() Slot {
	if s == Blue {
		return Green
	}
	return Blue
}

// State is how a platform stands.
type State struct {
	// Serves is the slot that users meet; empty where nothing was ever deployed.
	Serves Slot
	// Images names what is in each slot; a slot with nothing in it is absent.
	Images map[Slot]string
	// Kept says of which slots the image has served and was kept since it was put
	// there: only to those can one go back.
	Kept map[Slot]bool
	// Next names what Fill would put in. The same name is the same thing.
	Next string
}

// Slots are the two places and the switch between them.
type Slots interface {
	State(ctx context.Context) (State, error)
	Fill(ctx context.Context, slot Slot) error
	Discard(ctx context.Context, slot Slot) error
	Serve(ctx context.Context, slot Slot) error
	Keep(ctx context.Context) error
}

// Canary is the trial of a slot by a user of the rollout's own.
type Canary interface {
	Admit(ctx context.Context, slot Slot) (Visitor, error)
	Dismiss(ctx context.Context) error
}

// Visitor is how the canary comes in.
type Visitor struct {
	Base  string // the gateway's address: https://…
	Token string // a credential that may do everything, as the canary
}

// Meter tells what users meet.
type Meter interface {
	Figures(ctx context.Context, slot Slot, since time.Time) (Figures, error)
}

// Figures are what the gateway saw of one slot's agents.
type Figures struct {
	Requests int
	Failures int
	P95      time.Duration // 0 where nothing was measured
}

// Platform is where the agents run; the package's comment says how it is to
// behave.
type Platform interface {
	Slots
	Canary
	Meter
}

// Trial is how long after Serve a platform goes back by itself when nobody said
// Keep, beyond the time that the watch takes.
const Trial = 2 * time.Minute
