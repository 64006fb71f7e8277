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
	readyFresh = time.Second
	readyWait  = 2 * time.Second
	// lookEvery is between two looks at several agents. An agent that is told to
	// stop goes on for longer than this, so that nobody comes to a closed door.
	lookEvery = time.Second
)

// fleet is the agents and what was seen of them last.
type fleet struct {
	ask  func(ctx context.Context, url string) error
	list func() ([]edge.Agent, error) // nil: they stay as they are
	log  *slog.Logger
	now  func() time.Time

	mu      sync.Mutex
	agents  []edge.Agent // replaced, never changed
	seen    time.Time
	ready   bool
	refused string // why the list was not taken last time
	looking sync.Mutex
}

// present gives the agents as they were seen last. Nobody changes it.
func (f *fleet) present() []edge.Agent {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.agents
}

// watch looks again and again, where there is a choice or a list that may change.
func (f *fleet) watch(ctx context.Context) {
	if f.list == nil && len(f.agents) < 2 {
		return
	}
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		f.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// isReady says whether there is an agent for everybody who has none of his own. The
// answer to one caller serves those who ask meanwhile.
func (f *fleet) isReady(ctx context.Context) bool {
	f.mu.Lock()
	age := f.now().Sub(f.seen)
	ready := f.ready
	f.mu.Unlock()
	if age >= 0 && age < readyFresh {
		return ready
	}
	f.look(context.WithoutCancel(ctx))
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ready
}

// look reads the list and asks every agent whether it is ready.
func (f *fleet) look(ctx context.Context) {
	f.looking.Lock()
	defer f.looking.Unlock()
	ctx, cancel := context.WithTimeout(ctx, readyWait)
	defer cancel()
	fresh := slices.Clone(f.reload())
	var all sync.WaitGroup
	for i := range fresh {
		all.Go(func() {
			err := f.ask(ctx, fresh[i].URL)
			f.tell(fresh[i], err)
			fresh[i].Away = err != nil
		})
	}
	all.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.agents, f.seen = fresh, f.now()
	f.ready = slices.ContainsFunc(fresh, func(a edge.Agent) bool { return !a.Away && len(a.Only) == 0 })
}

// reload gives the agents of the list, with what was seen of each. A list that
// cannot be read changes nothing.
func (f *fleet) reload() []edge.Agent {
	old := f.present()
	if f.list == nil {
		return old
	}
	listed, err := f.list()
	if err != nil {
		if err.Error() != f.refused { // once, not every second
			f.refused = err.Error()
			f.log.Error("the list of agents cannot be used; the one before goes on", "error", err)
		}
		return old
	}
	f.refused = ""
	for i, a := range listed {
		if k := slices.IndexFunc(old, func(o edge.Agent) bool { return o.URL == a.URL }); k >= 0 {
			listed[i].Away = old[k].Away
		}
	}
	if !slices.EqualFunc(listed, old, func(a, b edge.Agent) bool {
		return a.URL == b.URL && a.Spare == b.Spare && slices.Equal(a.Only, b.Only)
	}) {
		f.log.Info("the agents changed", "agents", listed)
		f.mu.Lock()
		f.agents = listed
		f.mu.Unlock()
	}
	return listed
}

// missed notes that an agent was just found to be away, until the next look.
func (f *fleet) missed(url string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := slices.IndexFunc(f.agents, func(a edge.Agent) bool { return a.URL == url })
	if len(f.agents) < 2 || k < 0 || f.agents[k].Away {
		return
	}
	f.log.Info("an agent is away; its users go elsewhere", "agent", url)
	f.agents = slices.Clone(f.agents)
	f.agents[k].Away = true
}

// tell says that an agent came or went.
func (f *fleet) tell(a edge.Agent, err error) {
	switch {
	case err != nil && !a.Away:
		f.log.Info("an agent is away; its users go elsewhere", "agent", a.URL, "why", err)
	case err == nil && a.Away:
		f.log.Info("an agent is back", "agent", a.URL)
	}
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
