package native

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

const (
	// readyFresh is how long a look counts: anybody may ask, so asking must not be
	// a way to keep the agents busy.
	readyFresh = 250 * time.Millisecond
	readyWait  = 2 * time.Second
	// lookEvery is between two looks at several agents. An agent that is told to
	// stop goes on for longer than this, so that nobody comes to a closed door.
	lookEvery = time.Second
	// listEvery is between two readings of the list.
	listEvery = 250 * time.Millisecond
)

// upstreams is the agents and what was seen of them last.
type upstreams struct {
	ask  func(ctx context.Context, url string) error
	list func() ([]edge.Agent, error) // nil: they stay as they are
	log  *slog.Logger
	now  func() time.Time

	mu      sync.Mutex
	agents  []edge.Agent // replaced, never changed
	seen    time.Time
	refused string // why the list was not taken last time
	looking sync.Mutex
}

// present gives the agents as they were seen last. Nobody changes it.
func (f *upstreams) present() []edge.Agent {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.agents
}

// watch looks again and again, where there is a choice or a list that may change.
func (f *upstreams) watch(ctx context.Context) {
	if f.list == nil && len(f.present()) < 2 {
		return
	}
	look, read := time.NewTicker(lookEvery), time.NewTicker(listEvery)
	defer look.Stop()
	defer read.Stop()
	f.look(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-read.C:
			f.reload()
		case <-look.C:
			go f.look(ctx)
		}
	}
}

// isReady reports whether there is an agent for everybody who has none of his own. The
// answer to one caller serves those who ask meanwhile.
func (f *upstreams) isReady(ctx context.Context) bool {
	f.mu.Lock()
	age := f.now().Sub(f.seen)
	f.mu.Unlock()
	if age < 0 || age >= readyFresh {
		f.look(context.WithoutCancel(ctx))
	}
	return slices.ContainsFunc(f.present(), func(a edge.Agent) bool { return !a.Unhealthy && len(a.Users) == 0 })
}

// look asks every agent whether it is ready. Who comes while one looks waits for it.
func (f *upstreams) look(ctx context.Context) {
	asked := f.now()
	f.looking.Lock()
	defer f.looking.Unlock()
	f.mu.Lock()
	done := f.seen.After(asked)
	f.mu.Unlock()
	if done {
		return
	}
	f.reload()
	ctx, cancel := context.WithTimeout(ctx, readyWait)
	defer cancel()
	var all sync.WaitGroup
	for _, a := range f.present() {
		all.Go(func() { f.note(a.URL, f.ask(ctx, a.URL)) })
	}
	all.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = f.now()
}

// note keeps what became of a question to an agent.
func (f *upstreams) note(url string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := slices.IndexFunc(f.agents, func(a edge.Agent) bool { return a.URL == url })
	if k < 0 || f.agents[k].Unhealthy == (err != nil) {
		return
	}
	f.agents = slices.Clone(f.agents)
	f.agents[k].Unhealthy = err != nil
	switch {
	case err == nil:
		f.log.Info("an agent is back", "agent", url)
	case len(f.agents) > 1:
		f.log.Info("an agent is away; its users go elsewhere", "agent", url, "why", err)
	default:
		f.log.Warn("the agent is away", "agent", url, "why", err)
	}
}

// missed notes that a request found an agent away.
func (f *upstreams) missed(url string, why error) {
	if len(f.present()) > 1 { // else the next look may be far off
		f.note(url, why)
	}
}

// doubt makes what was seen last old, since a request has just met something else:
// whoever asks next is told what is true then.
func (f *upstreams) doubt() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = time.Time{}
}

// reload takes the list over where it has changed. One that cannot be read changes
// nothing.
func (f *upstreams) reload() {
	if f.list == nil {
		return
	}
	listed, err := f.list()
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		if err.Error() != f.refused { // once, not every time
			f.refused = err.Error()
			f.log.Error("the list of agents cannot be used; the one before goes on", "error", err)
		}
		return
	}
	f.refused = ""
	for i, a := range listed {
		if k := slices.IndexFunc(f.agents, func(o edge.Agent) bool { return o.URL == a.URL }); k >= 0 {
			listed[i].Unhealthy = f.agents[k].Unhealthy
		}
	}
	if slices.EqualFunc(listed, f.agents, func(a, b edge.Agent) bool {
		return a.URL == b.URL && a.Backup == b.Backup && a.Weight == b.Weight && slices.Equal(a.Users, b.Users)
	}) {
		return
	}
	f.agents = listed
	f.log.Info("the agents changed", "agents", listed)
}

// agentReady asks an agent; the error says why it is not ready.
func (h *Host) agentReady(ctx context.Context, agent string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, agent+chat.PathReady, nil)
	if err != nil {
		return err
	}
	resp, err := h.Agent.RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 4<<10)) // so that the connection is kept
	if resp.StatusCode != http.StatusOK {
		return errNotReady
	}
	return nil
}

var errNotReady = errors.New("it says that it is not ready")
