package main

import (
	"context"
	"net/http"
	"slices"
	"time"
)

// agentAnswers is the first request that the agent must answer: on a Worker it starts
// the container, unless that is awake. A socket is told of a start.
func agentAnswers(ctx context.Context, v *visit) error {
	defer v.listen(ctx)()
	var config struct {
		Version, Provider, Model string
		MaxMessageBytes          int
	}
	if err := v.user.Want(ctx, http.StatusOK, http.MethodGet, "/api/config", nil, &config); err != nil {
		if why := away(err); why != "" {
			v.advise(why)
		}
		return err
	}
	v.facts["the agent's version"], v.facts["the provider"] = config.Version, config.Provider
	if config.Provider == "offline" {
		v.advise("no model has a key there: the offline model answered, which is no model.\n" +
			"Next: set a provider's key (docs/DEPLOY-CLOUDFLARE.md, Every secret) and ask again, if that is not meant so.")
	}
	if config.Version == "" || config.Provider == "" || config.MaxMessageBytes < 1 {
		return unlike("version, provider and maxMessageBytes", "one of them is absent")
	}
	return nil
}

// listen notes what a socket is told of a container, until the returned function is
// called, which gives the last frames a moment.
func (v *visit) listen(ctx context.Context) (stop func()) {
	s, err := v.user.Dial(ctx, "/ws")
	if err != nil {
		return func() {} // a question of its own is about sockets
	}
	go func() {
		for {
			e, err := s.Next()
			if err != nil {
				return
			}
			if e.Type == "status" && e.Phase != "" {
				v.mu.Lock()
				v.phases = append(v.phases, e.Phase)
				v.mu.Unlock()
			}
		}
	}()
	return func() {
		time.AfterFunc(time.Second, s.Cut)
		time.Sleep(200 * time.Millisecond)
	}
}

// woke reports whether a container was seen to start.
func (v *visit) woke() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Contains(v.phases, "waking")
}

// nothingWoken: the container that started for the user's first request was asleep
// while strangers asked.
func nothingWoken(_ context.Context, v *visit) error {
	if !v.woke() {
		return &notAsked{"the agent was awake before, or this is no Worker"}
	}
	return nil
}

// sleepAndWake stays silent, then asks again: a container starts, and all that was
// said is there.
func sleepAndWake(ctx context.Context, v *visit) error {
	select {
	case <-ctx.Done():
		return &notAsked{"it was interrupted"}
	case <-time.After(v.sleep):
	}
	v.mu.Lock()
	v.phases = nil
	v.mu.Unlock()
	stop := v.listen(ctx)
	err := history(ctx, v)
	stop()
	switch {
	case err != nil:
		return err
	case !v.woke():
		return &notAsked{"the history is there, and no container was seen to start: SLEEP_AFTER is longer, the page is open elsewhere, or this is no Worker"}
	}
	return nil
}
