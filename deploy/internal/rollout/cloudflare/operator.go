package cloudflare

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/rollout"
)

// CanaryName is the canary's user. It is plain, so that it stands in the store's
// keys as it is.
const CanaryName = "loongclaw-canary"

// Operator is the operator's interface of a Worker (wrangler/rollout/operator.mjs): the switch, the
// canary's way in, and what the gateway saw.
type Operator struct {
	Base   string // the Worker's address
	Key    string // its secret ROLLOUT_KEY
	Canary string // the canary's token: its secret LOONGCLAW_CANARY without the name
	Hold   time.Duration
	HTTP   *http.Client
}

// held is what the switch remembers of a slot.
type held struct {
	Name, Image string
	Kept        bool
}

// switchState is what the switch says.
type switchState struct {
	Serves  rollout.Slot
	Held    map[rollout.Slot]held
	Now     int64 // the switch's clock
	Figures map[rollout.Slot]struct {
		Requests, Failures int
		P95Ms              float64
	}
}

// refused is an answer of the operator's interface that is none of its own.
type refused struct {
	status int
	body   string
}

func (r *refused) Error() string {
	return fmt.Sprintf("the operator's interface answers %d: %.300s", r.status, r.body)
}

// ask sends an order; without one it reads.
func (d Operator) ask(ctx context.Context, query string, order any) (switchState, error) {
	method, body := http.MethodGet, io.Reader(http.NoBody)
	if order != nil {
		b, err := json.Marshal(order)
		if err != nil {
			return switchState{}, err
		}
		method, body = http.MethodPost, bytes.NewReader(b)
	}
	q, err := http.NewRequestWithContext(ctx, method, d.Base+"/api/rollout"+query, body)
	if err != nil {
		return switchState{}, err
	}
	q.Header.Set("Authorization", "Bearer "+d.Key)
	// The key is for this address. What leads elsewhere is an answer.
	web := *d.HTTP
	web.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := web.Do(q)
	if err != nil {
		return switchState{}, fmt.Errorf("the operator's interface: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return switchState{}, fmt.Errorf("the operator's interface: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return switchState{}, &refused{res.StatusCode, string(b)}
	}
	var s switchState
	if err := json.Unmarshal(b, &s); err != nil {
		return switchState{}, fmt.Errorf("the operator's interface answers what cannot be read: %w", err)
	}
	return s, nil
}

type order struct {
	Do     string       `json:"do"`
	Slot   rollout.Slot `json:"slot,omitempty"`
	HoldMs int64        `json:"holdMs,omitempty"`
	User   string       `json:"user,omitempty"`
	Name   string       `json:"name,omitempty"`
	Image  string       `json:"image,omitempty"`
}

// Serve moves the switch. It goes back by itself after Hold, unless Keep comes.
func (d Operator) Serve(ctx context.Context, slot rollout.Slot) error {
	_, err := d.ask(ctx, "", order{Do: "serve", Slot: slot, HoldMs: d.Hold.Milliseconds()})
	return err
}

// Keep says that what serves stays.
func (d Operator) Keep(ctx context.Context) error {
	_, err := d.ask(ctx, "", order{Do: "keep"})
	return err
}

// Admit brings the canary into a slot.
func (d Operator) Admit(ctx context.Context, slot rollout.Slot) (rollout.Visitor, error) {
	_, err := d.ask(ctx, "", order{Do: "try", Slot: slot, User: CanaryName})
	return rollout.Visitor{Base: d.Base, Token: d.Canary}, err
}

// Dismiss ends the trial, and erases the canary.
func (d Operator) Dismiss(ctx context.Context) error {
	_, err := d.ask(ctx, "", order{Do: "dismiss"})
	return err
}

// Figures tells what all isolates told the switch.
func (d Operator) Figures(ctx context.Context, slot rollout.Slot, since time.Time) (rollout.Figures, error) {
	s, err := d.ask(ctx, "?since="+strconv.FormatInt(since.UnixMilli(), 10), nil)
	f := s.Figures[slot]
	return rollout.Figures{Requests: f.Requests, Failures: f.Failures, P95: time.Duration(f.P95Ms * float64(time.Millisecond))}, err
}

// Note remembers what was put into a slot.
func (d Operator) Note(ctx context.Context, slot rollout.Slot, name, image string) error {
	_, err := d.ask(ctx, "", order{Do: "hold", Slot: slot, Name: name, Image: image})
	return err
}

// State is what the switch knows: which slot serves, and what was put where.
func (d Operator) State(ctx context.Context) (rollout.State, error) {
	s, err := d.ask(ctx, "", nil)
	if err != nil {
		return rollout.State{}, err
	}
	state := rollout.State{Serves: s.Serves, Images: map[rollout.Slot]string{}, Kept: map[rollout.Slot]bool{}}
	for slot, h := range s.Held {
		state.Images[slot], state.Kept[slot] = h.Name, h.Kept
	}
	return state, nil
}
