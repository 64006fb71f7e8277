package mcp

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Config is what the client needs.
type Config struct {
	Bucket   bucket.Bucket
	Servers  map[string]Entry // the instance's
	Lookup   func(name string) (string, bool)
	Private  map[string]bool   // HOST:PORT that are reached although private
	Timeout  time.Duration     // of a call; 0 means 30 s
	Programs *Programs         // nil: this host starts none
	Faults   map[string]string // what the egress proxy says is wrong with one of the instance's
	Egress   *Egress           // the way to servers over HTTP, where that is an egress proxy's
	Closed   string            // why no server is reached over HTTP from this host; empty where they are
	Window   int               // of the model, in tokens; 0 is not known
	Version  string
	Log      *slog.Logger
	Now      func() time.Time

	// Note writes into a user's audit log.
	Note func(ctx context.Context, user string, entries ...auditlog.Entry) error
}

// env is what all servers of this process share.
type env struct {
	timeout time.Duration
	connect time.Duration // connectTime
	log     *slog.Logger
	now     func() time.Time
	root    context.Context
	running sync.WaitGroup
}

// Where a server comes from.
const (
	ScopeInstance = "instance"
	ScopeUser     = "user"
)

// Source is the tools of all servers. Stop it with Close.
type Source struct {
	Config
	env  *env
	stop context.CancelFunc

	instance map[string]*server

	mu    sync.Mutex
	users map[string]*owned
	flows map[*flow]bool
}

var _ tools.Catalog = (*Source)(nil)

// New makes the source. Nothing is reached before Start, or before somebody asks.
func New(c Config) *Source {
	if c.Timeout <= 0 {
		c.Timeout = 30 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	root, stop := context.WithCancel(context.Background())
	s := &Source{
		Config: c, stop: stop, instance: map[string]*server{}, users: map[string]*owned{}, flows: map[*flow]bool{},
		env: &env{timeout: c.Timeout, connect: connectTime, log: c.Log, now: c.Now, root: root},
	}
	for name, entry := range c.Servers {
		full, err := s.filled(name, entry)
		s.instance[name] = s.server(name, ScopeInstance, entry, full, err, pins{c.Bucket, ""}, s.tellAll)
	}
	return s
}

// filled returns an entry of the instance's with its values. Those that an egress proxy
// fills in never come here.
func (s *Source) filled(name string, entry Entry) (Entry, error) {
	if s.Egress == nil {
		return entry.expand(s.Lookup)
	}
	if what := s.Faults[name]; what != "" {
		return entry, closed(what)
	}
	return entry, nil
}

// Start begins to connect to the instance's servers.
func (s *Source) Start() {
	for _, one := range s.instance {
		one.wake()
	}
}

// server makes a server. One whose entry is at fault says so and is not tried.
func (s *Source) server(name, scope string, entry, full Entry, fault error, p pins, tell func(context.Context, event)) *server {
	out := &server{name: name, scope: scope, entry: entry, pins: p, env: s.env, tell: tell, state: Connecting}
	out.dial = dial{entry: full, listening: out.listening, version: s.Version}
	if fault == nil {
		fault = full.check(s.Private)
	}
	switch {
	case fault != nil:
	case entry.kind() == overStdio && s.Programs == nil:
		fault = errNoPrograms
	case entry.kind() == overStdio:
		out.dial.programs = *s.Programs
	case s.Closed != "":
		fault = closed(s.Closed)
	case s.Egress != nil:
		out.dial.client, fault = s.Egress.client(name, full, p.prefix)
	default:
		out.grants = s.grants(name, full, p.prefix)
		out.dial.client, fault = newClient(full, s.Private, out.grants)
	}
	if fault != nil {
		out.state, out.err, out.fixed = Failed, saying(fault), true
	}
	return out
}

type closed string

func (c closed) Error() string { return string(c) }

const errNoPrograms = closed("this host starts no programs; give the server a url")

// Close ends all connections and programs, and waits for that.
func (s *Source) Close() {
	s.stop()
	s.mu.Lock()
	all := slices.Collect(maps.Values(s.instance))
	for _, o := range s.users {
		all = append(all, o.list()...)
	}
	s.mu.Unlock()
	for _, one := range all {
		s.env.running.Go(one.close)
	}
	s.env.running.Wait()
}

// Tools returns the tools of the servers that are ready for a user.
func (s *Source) Tools(user string) []tools.Tool {
	var all []tool
	size := 0
	for _, one := range s.visible(user) {
		one.wake()
		v := one.view()
		if v.state != Ready {
			continue
		}
		for _, d := range v.defs {
			if d.Schema == nil {
				continue
			}
			size += len(d.Name) + len(d.Description) + len(d.Schema)
			all = append(all, tool{one, d, v.hash, v.version})
		}
	}
	if s.tooLarge(size) {
		return searched(all)
	}
	out := make([]tools.Tool, len(all))
	for i, t := range all {
		out[i] = t
	}
	return out
}

// visible returns a user's servers in the order of their names, the instance's first.
func (s *Source) visible(user string) []*server {
	out := sorted(s.instance)
	if user == "" {
		return out
	}
	for _, one := range s.of(user).list() {
		if s.instance[one.name] == nil {
			out = append(out, one)
		}
	}
	return out
}

func sorted(m map[string]*server) []*server {
	out := make([]*server, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[name])
	}
	return out
}

// of returns a user's own servers, as far as they are known, and has them read in
// the background where that was long ago.
func (s *Source) of(user string) *owned {
	s.mu.Lock()
	o := s.users[user]
	if o == nil {
		o = &owned{source: s, user: user, store: userStore{s.Bucket, users.Prefix(user)}, servers: map[string]*server{}}
		s.users[user] = o
	}
	s.mu.Unlock()
	o.refreshSoon()
	return o
}

// event is something that the audit log is told.
type event struct {
	what   string
	server string
	hash   string
}

const (
	eventApproved   = "approved"
	eventAuthorized = "authorized"
	eventChanged    = "changed"
	eventSet        = "set"
	eventRemoved    = "removed"
)

// tellAll tells those who have used the instance's servers in this process.
func (s *Source) tellAll(ctx context.Context, e event) {
	s.mu.Lock()
	names := slices.Collect(maps.Keys(s.users))
	s.mu.Unlock()
	for _, user := range names {
		s.tell(ctx, user, e)
	}
}

func (s *Source) tell(ctx context.Context, user string, e event) {
	s.env.log.Info("mcp", slog.String("what", e.what), slog.String("server", e.server), slog.String("hash", e.hash), slog.String("user", user))
	if s.Note == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := s.Note(ctx, user, auditlog.Entry{What: auditlog.Server, At: chat.At(s.env.now()), Tool: e.server, Status: e.what, Scope: e.hash})
	if err != nil {
		s.env.log.Warn("a change of an MCP server is not in the audit log", slog.String("user", user), slog.Any("error", err))
	}
}

func unknownServer() error {
	return fault.New(fault.CodeNotFound, "there is no such MCP server", "GET /api/mcp lists them")
}
