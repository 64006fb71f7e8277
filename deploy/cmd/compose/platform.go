package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/rollout"
)

// obeyed is how long the gateway may take to go by a new list: it reads it four
// times a second.
const obeyed = time.Second

// shares are how many users in a hundred a new agent gets at first, a second each.
// It knows none of their sessions yet: if all came at once, each would wait until
// those of all were read.
var shares = []int{5, 10, 20, 30, 40, 50, 60, 70, 80, 90}

// line is a line of the switch.
type line struct {
	slot rollout.Slot
	more string // "", spare, only=canary, until=TIME and perhaps share=N
}

func (l line) String() string {
	return strings.TrimSpace(fmt.Sprintf("http://agent-%s:8788 %s", l.slot, l.more))
}

// trial says until when a line is one of a trial.
func (l line) trial() (end time.Time, ok bool) {
	text, ok := strings.CutPrefix(l.more, "until=")
	text, _, _ = strings.Cut(text, " ")
	end, err := time.Parse(time.RFC3339, text)
	return end, ok && err == nil
}

// list writes the switch.
func (h *deployment) list(lines ...line) error {
	text := "# Written by make compose; the gateway reads it when it changes.\n"
	for _, l := range lines {
		text += l.String() + "\n"
	}
	return h.replace(text, 0o644, "switch", "agents") // #nosec G302 -- the gateway in its container is another user
}

// move writes the switch and waits until the gateway goes by it.
func (h *deployment) move(ctx context.Context, lines ...line) error {
	if err := h.list(lines...); err != nil {
		return err
	}
	select {
	case <-time.After(obeyed):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// listed reads the switch.
func (h *deployment) listed() ([]line, error) {
	b, err := os.ReadFile(h.path("switch", "agents"))
	if err != nil {
		return nil, err
	}
	var all []line
	for text := range strings.Lines(string(b)) {
		url, more, _ := strings.Cut(strings.TrimSpace(text), " ")
		for _, slot := range []rollout.Slot{rollout.Blue, rollout.Green} {
			if url == (line{slot: slot}).String() {
				all = append(all, line{slot, more})
			}
		}
	}
	return all, nil
}

// serves is the slot that everybody meets: the first that is for all and no spare,
// and whose time is not over.
func serves(lines []line, now time.Time) rollout.Slot {
	var spare rollout.Slot
	for _, l := range lines {
		end, tried := l.trial()
		switch {
		case l.more == "", tried && now.Before(end):
			return l.slot
		case l.more == "spare" && spare == "":
			spare = l.slot
		}
	}
	return spare
}

func (h *deployment) container(ctx context.Context, slot rollout.Slot) (string, error) {
	return docker(ctx, "ps", "-a", "-q", "--filter", "label=com.docker.compose.project="+h.project, "--filter", "label=com.docker.compose.service=agent-"+string(slot))
}

// State tells what is.
func (h *deployment) State(ctx context.Context) (rollout.State, error) {
	settings, err := h.digest()
	if err != nil {
		return rollout.State{}, err
	}
	env, err := h.settings("compose.env")
	if err != nil {
		return rollout.State{}, err
	}
	s := rollout.State{Images: map[rollout.Slot]string{}, Kept: map[rollout.Slot]bool{}, Next: h.image + " " + settings}
	for _, slot := range []rollout.Slot{rollout.Blue, rollout.Green} {
		id, err := h.container(ctx, slot)
		if err != nil {
			return s, err
		}
		if id == "" {
			continue
		}
		if s.Images[slot], err = docker(ctx, "inspect", "-f", `{{.Config.Image}} {{index .Config.Labels "loongclaw.settings"}}`, id); err != nil {
			return s, err
		}
		s.Kept[slot] = env[variable(slot, "KEPT")] == "true"
	}
	lines, err := h.listed()
	if err != nil {
		return s, err
	}
	if at := serves(lines, time.Now()); s.Images[at] != "" {
		s.Serves = at
		err = h.sample(ctx) // what is compared with later
	}
	return s, err
}

// digest stands for what is in agent.env: a new setting is a new generation.
func (h *deployment) digest() (string, error) {
	b, err := os.ReadFile(h.path("agent.env"))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return "settings:" + hex.EncodeToString(sum[:4]), nil
}

// Fill puts the new image into a slot that does not serve.
func (h *deployment) Fill(ctx context.Context, slot rollout.Slot) error {
	if _, err := docker(ctx, "image", "inspect", "-f", "{{.Id}}", h.image); err != nil {
		return fmt.Errorf("%w\nNext: build or pull the image %s", err, h.image)
	}
	s, err := h.State(ctx)
	if err != nil {
		return err
	}
	if s.Serves == slot {
		return fmt.Errorf("%s serves", slot)
	}
	if s.Serves != "" {
		// Nobody falls back to a slot that is being filled.
		if err := h.move(ctx, line{slot: s.Serves}); err != nil {
			return err
		}
	}
	settings, err := h.digest()
	if err := errors.Join(err, h.set(variable(slot, "KEPT"), "false"), h.set(variable(slot, "IMAGE"), h.image), h.set(variable(slot, "SETTINGS"), settings)); err != nil {
		return err
	}
	return h.compose(ctx, "up", "-d", "--no-deps", "--force-recreate", "agent-"+string(slot))
}

// variable names what compose.env says of a slot.
func variable(slot rollout.Slot, what string) string {
	return "AGENT_" + strings.ToUpper(string(slot)) + "_" + what
}

// Discard stops a slot whose image was red: it need not start for ever.
func (h *deployment) Discard(ctx context.Context, slot rollout.Slot) error {
	h.lastWords(ctx, slot)
	return h.compose(ctx, "stop", "agent-"+string(slot))
}

// Admit lets the canary meet one slot, and nobody else a slot that does not serve.
func (h *deployment) Admit(ctx context.Context, slot rollout.Slot) (rollout.Visitor, error) {
	token, err := h.secret("LOONGCLAW_CANARY")
	if err != nil {
		return rollout.Visitor{}, err
	}
	at, err := h.at()
	if err != nil {
		return rollout.Visitor{}, err
	}
	lines := []line{{slot: at}}
	if slot != at {
		lines = append(lines, line{slot, "only=canary"})
	}
	return rollout.Visitor{Base: "http://" + h.publish, Token: token}, h.move(ctx, lines...)
}

// at is the slot that the switch is at.
func (h *deployment) at() (rollout.Slot, error) {
	lines, err := h.listed()
	if err != nil {
		return "", err
	}
	at := serves(lines, time.Now())
	if at == "" {
		return "", errors.New("the switch names no agent that serves everybody\nNext: make compose-rollback, or write http://agent-blue:8788 into switch/agents")
	}
	return at, nil
}

// Dismiss ends the trial. What the canary made it has deleted itself.
func (h *deployment) Dismiss(ctx context.Context) error {
	at, err := h.at()
	if err != nil {
		return err
	}
	return h.move(ctx, line{slot: at})
}

// Serve moves the switch, to a new agent share by share. The slot that served becomes
// the spare: the way back, and where people go if the new one falls. A slot that is
// left within its trial is none, and is left at once.
func (h *deployment) Serve(ctx context.Context, slot rollout.Slot) error {
	lines, err := h.listed()
	if err != nil {
		return err
	}
	if err := h.sample(ctx); err != nil {
		return err
	}
	if err := h.awake(ctx, slot); err != nil {
		return err
	}
	trusted := true
	for _, l := range lines {
		if _, tried := l.trial(); tried && l.slot != slot {
			trusted = false
		}
	}
	if at := serves(lines, time.Now()); at == slot || !trusted {
		return h.move(ctx, line{slot: slot})
	}
	env, err := h.settings("compose.env")
	if err != nil {
		return err
	}
	steps := shares
	if env[variable(slot, "KEPT")] == "true" {
		steps = nil // the way back is taken at once
	}
	until := "until=" + time.Now().Add(h.trial).UTC().Format(time.RFC3339)
	for _, share := range steps {
		if err := h.move(ctx, line{slot, fmt.Sprintf("%s share=%d", until, share)}, line{slot.Other(), "spare"}); err != nil {
			return err
		}
	}
	return h.move(ctx, line{slot, until}, line{slot.Other(), "spare"})
}

// awake starts a slot that was stopped, and knows when it listens.
func (h *deployment) awake(ctx context.Context, slot rollout.Slot) error {
	id, err := h.container(ctx, slot)
	if err != nil {
		return err
	}
	if id == "" {
		return fmt.Errorf("there is nothing in %s", slot)
	}
	running, err := docker(ctx, "inspect", "-f", "{{.State.Running}}", id)
	if err != nil || running == "true" {
		return err
	}
	return h.compose(ctx, "up", "-d", "--no-deps", "agent-"+string(slot))
}

// Keep ends the trial of what serves.
func (h *deployment) Keep(context.Context) error {
	lines, err := h.listed()
	if err != nil {
		return err
	}
	for i, l := range lines {
		if _, tried := l.trial(); tried {
			lines[i].more = ""
		}
	}
	if err := h.list(lines...); err != nil {
		return err
	}
	return h.set(variable(serves(lines, time.Now()), "KEPT"), "true")
}

// lastWords shows what a bad agent said.
func (h *deployment) lastWords(ctx context.Context, slot rollout.Slot) {
	id, err := h.container(ctx, slot)
	if err != nil || id == "" {
		return
	}
	said, err := exec.CommandContext(ctx, "docker", "logs", "--tail", "5", id).CombinedOutput() // #nosec G204 -- an id of docker's own
	if err == nil && len(said) > 0 {
		_, _ = fmt.Fprintf(h.out, "the last lines of agent-%s:\n%s", slot, said)
	}
}

var _ rollout.Platform = (*deployment)(nil)
