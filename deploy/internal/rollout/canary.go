package rollout

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
)

// canary is a user that goes through both generations.
type canary struct {
	client.Visitor
	notes []note // memory that was saved
}

// note is something in memory.
type note struct {
	ID, Content string
	by          Slot
}

// try sends the canary through the new slot, and through the old one before and
// after, where there is an old one. Whatever happens, nothing of it stays.
func (r *Rollout) try(ctx context.Context, old, next Slot) (err error) {
	c := &canary{Visitor: client.Visitor{Patience: r.Patience, Session: "canary-" + strings.ToLower(rand.Text()), Ledger: client.NewLedger()}}
	defer func() {
		// Also after an interrupt.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		home := next
		if old != "" {
			home = old
		}
		if left := c.meet(ctx, r.Platform, home, c.clean); left != nil && err == nil {
			err = fmt.Errorf("cleaning up: %w", left)
		}
		if gone := r.Platform.Dismiss(ctx); gone != nil {
			err = errors.Join(err, fmt.Errorf("the canary could not be dismissed: %w", gone))
		}
	}()
	if old != "" {
		// What serves may be what the deploy is to mend: then there is nothing to hold
		// the new one to.
		if err := c.meet(ctx, r.Platform, old, c.leave); err != nil {
			r.say("the canary is already red in %s, which serves, and goes to %s alone: %s", old, next, oneLine(err))
			c.notes, c.Ledger, old = nil, client.NewLedger(), ""
		} else {
			r.say("the canary left a session and a memory in %s", old)
		}
	}
	begin := time.Now()
	if err := c.meet(ctx, r.Platform, next, c.prove); err != nil {
		return err
	}
	r.say("the canary in %s: health, login, a run with a tool call, memory, resume by cursor: all well after %v", next, time.Since(begin).Round(time.Millisecond))
	if old != "" {
		if err := c.meet(ctx, r.Platform, old, c.look); err != nil {
			return fmt.Errorf("back in %s, which cannot go on from what %s wrote: %w", old, next, err)
		}
		r.say("the canary back in %s: what %s wrote can be read", old, next)
	}
	return nil
}

// meet puts the canary into a slot and does something there.
func (c *canary) meet(ctx context.Context, p Canary, slot Slot, do func(context.Context, Slot) error) error {
	v, err := p.Admit(ctx, slot)
	if err != nil {
		return fmt.Errorf("it was not let in: %w", err)
	}
	c.Client = client.New(v.Base, v.Token, nil)
	defer c.HTTP.CloseIdleConnections()
	if err := strangers(ctx, c.Client, c.Patience); err != nil {
		return err
	}
	return do(ctx, slot)
}

// leave makes what a user has before a deploy.
func (c *canary) leave(ctx context.Context, slot Slot) error {
	if err := c.save(ctx, slot); err != nil {
		return err
	}
	_, err := c.Say(ctx, "hello")
	return err
}

// prove does in a new slot what users will.
func (c *canary) prove(ctx context.Context, slot Slot) error {
	if err := c.login(ctx); err != nil {
		return err
	}
	if err := c.look(ctx, slot); err != nil {
		return err
	}
	if err := c.save(ctx, slot); err != nil {
		return err
	}
	if err := c.remembers(ctx); err != nil {
		return err
	}
	return c.AskForTool(ctx)
}

// look finds what was left before, by whichever generation.
func (c *canary) look(ctx context.Context, _ Slot) error {
	if err := c.remembers(ctx); err != nil {
		return err
	}
	return c.Replay(ctx)
}

func (c *canary) login(ctx context.Context) error {
	stranger := *c.Client
	stranger.Token = client.WrongToken
	a, err := stranger.Do(ctx, http.MethodGet, "/api/sessions", nil)
	if err != nil {
		return err
	}
	if a.Status != http.StatusUnauthorized {
		return fmt.Errorf("a wrong token gets %v, want 401", a)
	}
	return c.Want(ctx, http.StatusOK, http.MethodGet, "/api/sessions", nil, nil)
}

func (c *canary) save(ctx context.Context, slot Slot) error {
	saved := note{by: slot}
	if err := c.Want(ctx, http.StatusCreated, http.MethodPost, "/api/memory", map[string]string{"content": "canary " + rand.Text(), "type": "fact"}, &saved); err != nil {
		return fmt.Errorf("saving to memory: %w", err)
	}
	c.notes = append(c.notes, saved)
	return nil
}

func (c *canary) remembers(ctx context.Context) error {
	for _, n := range c.notes {
		var found struct{ Results []note }
		if err := c.Want(ctx, http.StatusOK, http.MethodGet, "/api/memory/search?limit=20&keyword="+strings.TrimPrefix(n.Content, "canary "), nil, &found); err != nil {
			return fmt.Errorf("searching memory: %w", err)
		}
		times := 0
		for _, item := range found.Results {
			if item.ID == n.ID && item.Content == n.Content {
				times++
			}
		}
		if times != 1 {
			return fmt.Errorf("memory is lost: what was saved in %s is there %d times", n.by, times)
		}
	}
	return nil
}

// clean deletes what the canary made.
func (c *canary) clean(ctx context.Context, _ Slot) error {
	var errs []error
	for _, n := range c.notes {
		errs = append(errs, c.gone(ctx, "/api/memory/"+n.ID))
	}
	if c.Ledger.Cursor != "" {
		errs = append(errs, c.gone(ctx, client.SessionPath(c.Session, "")))
	}
	return errors.Join(errs...)
}

// gone deletes something that may be gone already.
func (c *canary) gone(ctx context.Context, path string) error {
	err := c.Want(ctx, http.StatusOK, http.MethodDelete, path, nil, nil)
	var other *client.Unwanted
	if errors.As(err, &other) && other.Answer.Status == http.StatusNotFound {
		return nil
	}
	return err
}
