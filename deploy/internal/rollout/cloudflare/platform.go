package cloudflare

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/rollout"
)

// Platform is an environment of wrangler.jsonc on Cloudflare.
type Platform struct {
	Env      string // of wrangler.jsonc
	Dir      string // where wrangler.jsonc and what was built lie
	Address  string // where the Worker answers, such as your own domain; else what wrangler named last
	Patience time.Duration
	Hold     time.Duration // after Serve it goes back by itself in this time
	Out      io.Writer
	Getenv   func(string) string
	Environ  func() []string                       // for secrets that are known by the beginning of their names
	Ask      func(question string) (string, error) // nil where nobody can be asked
	HTTP     *http.Client

	// What State found; the other methods go by it.
	to    target
	there map[string]bool // the Worker's secrets; nil without a Worker
	apps  map[rollout.Slot]application

	base   string // where the Worker answers: one of its own addresses
	canary string // the canary's token, of this deploy
	before string // the Worker's version before this deploy

	nearby bool // tests: a server on this machine stands in for the Worker
}

// State asks Cloudflare what is in the slots, and the Worker which of them serves.
func (p *Platform) State(ctx context.Context) (rollout.State, error) {
	to, err := readTarget(p.Dir, p.Env)
	if err != nil {
		return rollout.State{}, err
	}
	p.to = to
	next, err := fingerprint(p.Dir)
	if err != nil {
		return rollout.State{}, err
	}
	if p.Address != "" {
		if _, err := judgeAddress(p.Address, p.nearby); err != nil {
			return rollout.State{}, err
		}
	}
	if p.there, err = p.present(ctx); err != nil {
		return rollout.State{}, err
	}
	// Before a first deploy nobody knows the account's name at workers.dev.
	if p.Address != "" && (p.there != nil || !strings.HasSuffix(strings.ToLower(p.Address), ".workers.dev")) {
		if _, err := p.own(p.remembered()); err != nil {
			return rollout.State{}, err
		}
	}
	state := rollout.State{Next: next, Images: map[rollout.Slot]string{}, Kept: map[rollout.Slot]bool{}}
	if fresh := p.fromEnvironment(p.there); len(fresh) > 0 && p.there != nil {
		state.Next += "+secrets" // a reason to deploy, though nothing else is new
	}
	p.apps, err = p.applications(ctx)
	if err != nil || p.there == nil || len(p.apps) == 0 {
		return state, err
	}
	says, err := p.asks(ctx)
	if err != nil {
		return state, err
	}
	for slot, app := range p.apps {
		state.Images[slot] = app.Image
		// What somebody else put there since is not what was kept.
		if h := says.Held[slot]; sameImage(h.Image, app.Image) {
			state.Images[slot], state.Kept[slot] = h.Name, h.Kept
		}
	}
	if says.Held[says.Serves].Kept {
		state.Serves = says.Serves // else a first deploy went wrong, and nothing serves yet
	}
	return state, nil
}

// sameImage compares what Cloudflare calls an image, with its registry or without.
func sameImage(a, b string) bool {
	return a[strings.LastIndex(a, "/")+1:] == b[strings.LastIndex(b, "/")+1:]
}

// asks reads the switch. The operator's key may be lost, and then there is a new one.
func (p *Platform) asks(ctx context.Context) (switchState, error) {
	m := p.remembered()
	var err error
	if p.base, err = p.own(m); err != nil {
		return switchState{}, err
	}
	if p.base == "" {
		return switchState{}, fmt.Errorf("the Worker's address is not known on this machine\nNext: write it into wrangler.jsonc below env.%s, as the variable %s", p.Env, publicURL)
	}
	if p.key(m) == "" {
		if p.there["ROLLOUT_KEY"] {
			p.say("the secret ROLLOUT_KEY is not known on this machine: the Worker gets a new one")
		}
		m.Key = rand.Text()
		if err := p.giveSecrets(ctx, map[string]string{"ROLLOUT_KEY": m.Key}); err != nil {
			return switchState{}, err
		}
		if err := p.remember(m); err != nil {
			return switchState{}, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, p.Patience)
	defer cancel()
	for {
		s, err := p.operator().ask(ctx, "", nil)
		var other *refused
		if err == nil || errors.As(err, &other) && other.status != http.StatusUnauthorized && other.status != http.StatusNotFound {
			return s, err
		}
		select { // a secret takes a while to be everywhere
		case <-ctx.Done():
			return s, fmt.Errorf("%w\nNext: delete the key that this machine remembers, %s, or set ROLLOUT_KEY to the Worker's", err, p.memoryFile())
		case <-time.After(time.Second):
		}
	}
}

// operator is the operator's interface, with what is known of it.
func (p *Platform) operator() Operator {
	m := p.remembered()
	return Operator{Base: p.base, Key: p.key(m), Canary: p.canary, Hold: p.Hold, HTTP: p.HTTP}
}

// Fill deploys the Worker, and the new image into one slot. The other slot's image
// is named as it is, so that nothing of it changes.
func (p *Platform) Fill(ctx context.Context, slot rollout.Slot) error {
	if err := p.buckets(ctx); err != nil {
		return err
	}
	secrets, err := p.secrets()
	if err != nil {
		return err
	}
	m := p.remembered()
	if p.key(m) == "" {
		m.Key = rand.Text()
	}
	p.canary = rand.Text()
	secrets["ROLLOUT_KEY"], secrets["LOONGCLAW_CANARY"] = p.key(m), CanaryName+":"+p.canary
	if err := p.tellOwn(ctx, m, secrets); err != nil {
		return err
	}
	if p.there != nil {
		if p.before, err = p.version(ctx); err != nil {
			return err
		}
	}
	tag, err := fingerprint(p.Dir)
	if err != nil {
		return err
	}
	other, err := p.imageOf(ctx, slot.Other())
	if err != nil {
		return err
	}
	config, remove, err := deployConfig(p.Dir, p.Env, slot, other)
	if err != nil {
		return err
	}
	defer func() { _ = remove() }()
	addresses, err := p.deploy(ctx, config, tag, secrets)
	if err != nil {
		return err
	}
	if err := p.named(ctx, m, addresses, secrets[publicURL] != ""); err != nil {
		return err
	}
	image, err := p.settled(ctx, slot)
	if err != nil {
		return err
	}
	return p.noted(ctx, slot, tag, image)
}

// noted tells the switch what was put where. The Worker takes a while to be
// everywhere.
func (p *Platform) noted(ctx context.Context, slot rollout.Slot, name, image string) error {
	ctx, cancel := context.WithTimeout(ctx, p.Patience)
	defer cancel()
	for {
		err := p.operator().Note(ctx, slot, name, image)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Second):
		}
	}
}

// Discard takes the Worker back to the version before: it came with the image. The
// image stays in its slot, where nobody meets it.
func (p *Platform) Discard(ctx context.Context, _ rollout.Slot) error {
	if p.before == "" {
		return nil
	}
	if _, err := p.wrangler(ctx, "rollback", p.before, "--env", p.Env, "--yes", "--message", "make deploy: red"); err != nil {
		return fmt.Errorf("the Worker could not be taken back to its version %s: %w", p.before, err)
	}
	p.say("the Worker is again what it was, version %s", p.before)
	p.before = ""
	return nil
}

// Serve moves the switch.
func (p *Platform) Serve(ctx context.Context, slot rollout.Slot) error {
	return p.operator().Serve(ctx, slot)
}

// Keep says that what serves stays.
func (p *Platform) Keep(ctx context.Context) error { return p.operator().Keep(ctx) }

// Admit brings the canary into a slot.
func (p *Platform) Admit(ctx context.Context, slot rollout.Slot) (rollout.Visitor, error) {
	return p.operator().Admit(ctx, slot)
}

// Dismiss ends the trial, and erases the canary.
func (p *Platform) Dismiss(ctx context.Context) error { return p.operator().Dismiss(ctx) }

// Figures tells what users met.
func (p *Platform) Figures(ctx context.Context, slot rollout.Slot, since time.Time) (rollout.Figures, error) {
	return p.operator().Figures(ctx, slot, since)
}

func (p *Platform) say(format string, args ...any) {
	_, _ = fmt.Fprintf(p.Out, format+"\n", args...)
}

// memory is what this machine remembers of an environment, beside what Cloudflare
// knows.
type memory struct {
	Address, Key string
	Hosts        []string // where the Worker answers, as wrangler named them
}

func (p *Platform) memoryFile() string { return memoryFile(p.Dir, p.Env) }

// remembered is empty where nothing was.
func (p *Platform) remembered() memory {
	var m memory
	b, err := os.ReadFile(p.memoryFile())
	if err != nil || json.Unmarshal(b, &m) != nil {
		return memory{}
	}
	return m
}

func (p *Platform) remember(m memory) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return writePrivate(p.memoryFile(), b)
}

func (p *Platform) key(m memory) string {
	if key := strings.TrimSpace(p.Getenv("ROLLOUT_KEY")); key != "" {
		return key
	}
	return m.Key
}

var _ rollout.Platform = (*Platform)(nil)
