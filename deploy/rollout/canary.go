package rollout

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/deploy/client"
)

// question is what a model answers with a tool call: any that can be taken
// seriously, and the offline one.
const question = "What is the current time? Call the tool get_current_time, then say it in a few words."

// wrongToken has the form of a token and is none.
const wrongToken = "not-a-token-of-anybody"

// canary is a user that goes through both generations.
type canary struct {
	*client.Client
	patience time.Duration

	session string
	ledger  *client.Ledger // of the session, over all its connections
	notes   []note         // memory that was saved
}

// note is something in memory.
type note struct {
	ID, Content string
	by          Slot
}

// try sends the canary through the new slot, and through the old one before and
// after, where there is an old one. Whatever happens, nothing of it stays.
func (r *Rollout) try(ctx context.Context, old, next Slot) (err error) {
	c := &canary{patience: r.Patience, session: "canary-" + strings.ToLower(rand.Text()), ledger: client.NewLedger()}
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
			c.notes, c.ledger, old = nil, client.NewLedger(), ""
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
	if err := strangers(ctx, c.Client, c.patience); err != nil {
		return err
	}
	return do(ctx, slot)
}

// leave makes what a user has before a deploy.
func (c *canary) leave(ctx context.Context, slot Slot) error {
	if err := c.save(ctx, slot); err != nil {
		return err
	}
	_, err := c.turn(ctx, "hello")
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
	const attempts = 2 // a language model may be of another mind once
	for i := 1; ; i++ {
		seen, err := c.turn(ctx, question)
		if err != nil || seen.calls > 0 {
			return err
		}
		if i == attempts {
			return fmt.Errorf("asked for the time %d times, the model called no tool; it said %.200q", attempts, seen.answer)
		}
	}
}

// look finds what was left before, by whichever generation.
func (c *canary) look(ctx context.Context, _ Slot) error {
	if err := c.remembers(ctx); err != nil {
		return err
	}
	return c.replay(ctx)
}

func (c *canary) login(ctx context.Context) error {
	stranger := *c.Client
	stranger.Token = wrongToken
	a, err := stranger.Do(ctx, http.MethodGet, "/api/sessions", nil)
	if err != nil {
		return err
	}
	if a.Status != http.StatusUnauthorized {
		return fmt.Errorf("a wrong token gets %v, want 401", a)
	}
	return c.want(ctx, http.StatusOK, http.MethodGet, "/api/sessions", nil, nil)
}

func (c *canary) save(ctx context.Context, slot Slot) error {
	saved := note{by: slot}
	if err := c.want(ctx, http.StatusCreated, http.MethodPost, "/api/memory", map[string]string{"content": "canary " + rand.Text(), "type": "fact"}, &saved); err != nil {
		return fmt.Errorf("saving to memory: %w", err)
	}
	c.notes = append(c.notes, saved)
	return nil
}

func (c *canary) remembers(ctx context.Context) error {
	for _, n := range c.notes {
		var found struct{ Results []note }
		if err := c.want(ctx, http.StatusOK, http.MethodGet, "/api/memory/search?limit=20&keyword="+strings.TrimPrefix(n.Content, "canary "), nil, &found); err != nil {
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
	if c.ledger.Cursor != "" {
		errs = append(errs, c.gone(ctx, client.SessionPath(c.session, "")))
	}
	return errors.Join(errs...)
}

// gone deletes something that may be gone already.
func (c *canary) gone(ctx context.Context, path string) error {
	err := c.want(ctx, http.StatusOK, http.MethodDelete, path, nil, nil)
	var other *unwanted
	if errors.As(err, &other) && other.answer.Status == http.StatusNotFound {
		return nil
	}
	return err
}

// replay reads the session from its start, and holds it against what was seen
// live.
func (c *canary) replay(ctx context.Context) error {
	if c.ledger.Cursor == "" {
		return nil
	}
	// As every client does, it goes on from where it was: an agent that knew the
	// session before sees by the cursor that another has written to it since.
	if _, err := c.Page(ctx, c.session, c.ledger.Cursor); err != nil {
		return fmt.Errorf("going on with the session: %w", err)
	}
	again := client.NewLedger()
	for after := ""; ; {
		page, err := c.Page(ctx, c.session, after)
		if err != nil {
			return fmt.Errorf("reading the session: %w", err)
		}
		for _, e := range page.Events {
			if err := again.Take(e); err != nil {
				return fmt.Errorf("reading the session: %w", err)
			}
		}
		if after = page.Next; len(page.Events) == 0 || after == "" {
			break
		}
	}
	for run, want := range c.ledger.Answers {
		got := again.Answers[run]
		if len(got) != len(want) || len(again.Finished[run].Raw) == 0 {
			return fmt.Errorf("the session is not as it was left: of a run with %d answers %d are there", len(want), len(got))
		}
		for i := range want {
			if got[i].Text() != want[i].Text() {
				return fmt.Errorf("the session is not as it was left: an answer was %.100q and is %.100q", want[i].Text(), got[i].Text())
			}
		}
	}
	return nil
}

// seen is what a turn showed.
type seen struct {
	calls  int // tools that were called and answered
	answer string
}

// turn sends a message and follows its run by cursor, over connections that are
// cut and taken up again.
func (c *canary) turn(ctx context.Context, message string) (seen, error) {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	var run struct{ RunID, Cursor string }
	if err := c.want(ctx, http.StatusAccepted, http.MethodPost, client.SessionPath(c.session, "/runs"), map[string]string{"message": message}, &run,
		client.Header{Name: "Idempotency-Key", Value: rand.Text()}); err != nil {
		return seen{}, fmt.Errorf("sending a message: %w", err)
	}
	var s seen
	for {
		done, err := c.follow(ctx, run.RunID, &s)
		if err != nil || done {
			return s, err
		}
		select {
		case <-ctx.Done():
			return s, fmt.Errorf("the run did not finish within %v", c.patience)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// follow reads the session after the ledger's cursor until the run ends, or until
// it has something new: then it cuts the connection, for the next one to go on.
func (c *canary) follow(ctx context.Context, run string, s *seen) (done bool, err error) {
	stream, err := c.Events(ctx, c.session, c.ledger.Cursor)
	if err != nil {
		var refused *client.Refused
		if errors.As(err, &refused) && mayPass(refused.Answer) {
			return false, nil
		}
		return false, fmt.Errorf("following the run: %w", err)
	}
	defer stream.Cut()
	for {
		e, err := stream.Next()
		if errors.Is(err, io.EOF) || ctx.Err() != nil {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("following the run: %w", err)
		}
		if err := c.ledger.Take(e); err != nil {
			return false, fmt.Errorf("resuming by cursor: %w", err)
		}
		if e.RunID != run {
			continue
		}
		switch e.Type {
		case "tool_result":
			if e.Status == "ok" {
				s.calls++
			}
			return false, nil // cut in the middle
		case "message_complete":
			s.answer = e.Text()
		case "run_finished":
			if e.Status != "done" {
				return false, fmt.Errorf("a run ended %s: %.300s", e.Status, e.Raw)
			}
			return true, nil
		}
	}
}

// want sends a request until it is answered with that status. What says of itself
// that it passes is waited for.
func (c *canary) want(ctx context.Context, status int, method, path string, body, into any, headers ...client.Header) error {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	for last := error(nil); ; {
		a, err := c.Do(ctx, method, path, body, headers...)
		switch {
		case err != nil && ctx.Err() != nil:
			return fmt.Errorf("not within %v: %w", c.patience, errors.Join(last, ctx.Err()))
		case err != nil:
			return err
		case a.Status == status && into != nil:
			return a.JSON(into)
		case a.Status == status:
			return nil
		case !mayPass(a):
			return &unwanted{method + " " + path, a, status}
		}
		last = fmt.Errorf("%s %s: %v", method, path, a)
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %v: %w", c.patience, last)
		case <-time.After(retryAfter(a)):
		}
	}
}

// unwanted is an answer that is not as it should be.
type unwanted struct {
	request string
	answer  client.Answer
	want    int
}

func (u *unwanted) Error() string {
	return fmt.Sprintf("%s: %v, want status %d", u.request, u.answer, u.want)
}

// mayPass: an agent that starts says so.
func mayPass(a client.Answer) bool {
	return a.Status == http.StatusServiceUnavailable || a.Status == http.StatusBadGateway || a.Status == http.StatusTooManyRequests
}

func retryAfter(a client.Answer) time.Duration {
	seconds, err := strconv.Atoi(a.Header.Get("Retry-After"))
	if err != nil || seconds < 1 {
		return time.Second
	}
	return time.Duration(min(seconds, 10)) * time.Second
}
