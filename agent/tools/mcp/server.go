package mcp

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// State is what a server's tools are to this agent.
type State string

// The states.
const (
	Connecting State = "connecting" // its definitions are not known yet, or may have changed
	Unapproved State = "unapproved" // nobody has approved its definitions
	Ready      State = "ready"      // they are the approved ones: its tools are declared and run
	Changed    State = "changed"    // they are others than the approved ones
	Failed     State = "failed"     // it cannot be reached
)

const (
	// connectTime is how long a server may take to answer a connection, for each of the
	// two ways in which one is begun, and to list its tools.
	connectTime = 10 * time.Second
	lookTime    = 3 * connectTime
	// How many times as long a program may take that was tried before.
	mostPatience = 6
	// A server that failed is tried again when somebody asks, after a pause that doubles.
	firstPause = time.Second
	maxPause   = 5 * time.Minute
	// A server that waits for an approval is looked at again when somebody asks.
	lookAgain = 5 * time.Second
	// A connection that lasts so long was no mistake.
	steadyAfter = time.Minute
)

// server is one server, and what is known of it.
type server struct {
	name   string
	scope  string // ScopeInstance or ScopeUser
	entry  Entry  // as configured, without values filled in
	dial   dial
	pins   pins
	grants *grants // nil where it has no authorization to be given
	env    *env
	tell   func(context.Context, event) // the audit log

	working sync.Mutex // held by who connects or lists: one at a time

	mu        sync.Mutex
	state     State
	err       string
	authorize bool // an authorization by its user would mend it
	fixed     bool // the entry itself is at fault: nothing is tried
	defs      []Definition
	hash      string
	pin       Pin
	was       approvedTools // what the pin was given for, as far as that is kept
	protocol  string
	conn      *connection
	stale     bool // the server said that its list has changed since it was read
	looked    time.Time
	tries     int
	after     time.Time // no try before
	busy      bool      // somebody looks in the background
	closed    bool
}

// view is what is known of a server at one moment.
type view struct {
	state   State
	defs    []Definition
	version int
	hash    string
}

func (s *server) view() view {
	s.mu.Lock()
	defer s.mu.Unlock()
	return view{s.state, s.defs, s.pin.Version, s.hash}
}

// wake looks at the server in the background, where that is needed and due.
func (s *server) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	needed := s.state == Connecting || s.state == Failed || s.stale
	if s.conn == nil && s.entry.kind() == overStdio { // its program has ended
		needed = true
	}
	if s.state == Unapproved || s.state == Changed { // another agent may have been told of an approval
		needed = needed || s.env.now().Sub(s.looked) > lookAgain
	}
	if !needed || s.fixed || s.busy || s.closed || s.env.now().Before(s.after) {
		return
	}
	s.busy = true
	if s.state == Failed {
		s.state = Connecting
	}
	s.env.running.Go(func() {
		ctx, cancel := context.WithTimeout(s.env.root, 3*s.patience())
		defer cancel()
		_ = s.look(ctx) // what went wrong is in the state
		s.mu.Lock()
		s.busy = false
		again := s.stale && !s.closed
		s.mu.Unlock()
		if again {
			s.wake()
		}
	})
}

// listening is told by the server that its list has changed. Until it was read again
// nothing of the server runs.
func (s *server) listening() {
	s.mu.Lock()
	s.stale = true
	if s.state == Ready {
		s.state = Connecting
	}
	s.mu.Unlock()
	s.wake()
}

// look connects where there is no connection, reads the definitions, and compares
// them with the approved ones.
func (s *server) look(ctx context.Context) error { return s.lookAnd(ctx, s.note) }

// lookAnd looks, and has what was seen judged by what was approved.
func (s *server) lookAnd(ctx context.Context, judge func(ctx context.Context, hash, protocol string) (pin Pin, changed bool, err error)) error {
	s.working.Lock()
	defer s.working.Unlock()
	conn, list, err := s.read(ctx)
	if errors.Is(ctx.Err(), context.Canceled) && err != nil {
		return ctx.Err() // who waited has gone; that says nothing about the server
	}
	if err != nil {
		return s.failed(err)
	}
	defs, hash, err := understand(s.name, list)
	if err != nil {
		s.drop(conn)
		return s.failed(err)
	}
	pin, changed, err := judge(ctx, hash, conn.protocol())
	if err != nil {
		return s.failed(errors.New("its approval cannot be read from the store"))
	}
	s.settle(defs, hash, conn.protocol(), pin, s.remembered(ctx, hash, pin))
	if changed {
		s.tell(ctx, event{what: eventChanged, server: s.name, hash: hash})
	}
	return nil
}

// read reads the definitions. A connection that has ended meanwhile is made again. It
// belongs to working.
func (s *server) read(ctx context.Context) (*connection, []*sdk.Tool, error) {
	for {
		s.mu.Lock()
		old := s.conn
		s.mu.Unlock()
		conn, err := s.connected(ctx)
		if err != nil {
			return nil, nil, err
		}
		s.mu.Lock()
		s.stale = false
		s.mu.Unlock()
		list, err := conn.listIn(ctx, connectTime)
		if err == nil {
			return conn, list, nil
		}
		ended := conn.hasEnded()
		s.drop(conn)
		if !ended || conn != old {
			return nil, nil, err
		}
	}
}

// connected returns the connection, a new one where there is none. It belongs to
// working.
func (s *server) connected(ctx context.Context) (*connection, error) {
	s.mu.Lock()
	conn, closed := s.conn, s.closed
	s.mu.Unlock()
	if closed {
		return nil, errors.New("it was removed")
	}
	if conn != nil && !conn.over.Load() {
		return conn, nil
	}
	pin, _, err := s.pins.read(ctx, s.name)
	if err != nil {
		return nil, errors.New("its approval cannot be read from the store")
	}
	d := s.dial
	d.patience = s.patience()
	if conn, err = connect(ctx, d, pin.Protocol); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		go conn.end()
		return nil, errors.New("it was removed")
	}
	s.conn = conn
	s.env.running.Go(func() { s.await(conn) })
	return conn, nil
}

// await notices the end of a connection.
func (s *server) await(conn *connection) {
	began := s.env.now()
	select {
	case <-conn.done:
	case <-s.env.root.Done():
		conn.end()
		<-conn.done
	}
	why := conn.childReason()
	if conn.child != nil && s.env.root.Err() == nil {
		s.env.log.Warn("the program of an MCP server ended", slog.String("server", s.name), slog.String("why", why), slog.String("said", conn.child.stderr.String()))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == conn {
		s.conn = nil
	}
	// What was approved stands: who calls a tool connects again, and the definitions
	// are read before. Whether that can be done is tried soon.
	if s.env.now().Sub(began) > steadyAfter {
		s.tries = 0
	}
	s.pauseLocked()
}

// drop ends a connection that is of no use any more.
func (s *server) drop(conn *connection) {
	s.mu.Lock()
	if s.conn == conn {
		s.conn = nil
	}
	s.mu.Unlock()
	conn.end()
}

func (s *server) failed(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = Failed
	s.err, s.authorize = forUser(s.name, err)
	s.pauseLocked()
	return err
}

// patience returns how long the server may take to answer a connection. A program gets
// twice the time at each try: one that fetches what it needs at its first start, or
// several that start on a busy machine, would otherwise be ended each time shortly
// before they answer.
func (s *server) patience() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entry.kind() != overStdio {
		return s.env.connect
	}
	return s.env.connect * time.Duration(min(1<<min(s.tries, 10), mostPatience))
}

func (s *server) pauseLocked() {
	pause := firstPause << min(s.tries, 10)
	s.tries++
	s.after = s.env.now().Add(min(pause, maxPause))
}

// note keeps that definitions are others than the approved ones, and which revision
// the server took.
func (s *server) note(ctx context.Context, hash, protocol string) (pin Pin, changed bool, err error) {
	identity := s.entry.identity()
	pin, err = s.pins.update(ctx, s.name, func(p *Pin) (write bool, err error) {
		changed = false
		if p.Of != identity { // another server has its name now: what was approved is void
			*p, write = Pin{Of: identity, Version: p.Version + 1}, p.Of != ""
		}
		if p.Hash != "" && p.Hash != hash && p.Changed != hash {
			p.Changed, p.Version, write, changed = hash, p.Version+1, true, true
		}
		if p.Protocol != protocol {
			p.Protocol, write = protocol, true
		}
		return write, nil
	})
	return pin, changed, err
}

// approved only reads what was approved.
func (s *server) approved(ctx context.Context, _, _ string) (pin Pin, changed bool, err error) {
	pin, _, err = s.pins.read(ctx, s.name)
	if pin.Of != s.entry.identity() {
		pin = Pin{}
	}
	return pin, false, err
}

// settle takes definitions in, with what was approved.
func (s *server) settle(defs []Definition, hash, protocol string, pin Pin, was approvedTools) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.defs, s.hash, s.pin, s.was, s.protocol, s.err, s.authorize = defs, hash, pin, was, protocol, "", false
	s.looked = s.env.now()
	switch {
	case s.stale:
		s.state = Connecting
	case pin.Hash == "":
		s.state = Unapproved
	case pin.Hash == hash:
		s.state = Ready
	default:
		s.state = Changed
	}
}

// lacks notes that a call needed an authorization that was not given: the definitions
// stand, and who looks at the server sees what to do.
func (s *server) lacks(why string, authorize bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if authorize && s.state == Ready {
		s.err, s.authorize = why, true
	}
}

// again has the server looked at now, whatever went wrong before.
func (s *server) again() {
	s.mu.Lock()
	s.after, s.tries = time.Time{}, 0
	if s.authorize && s.state == Ready {
		s.err, s.authorize = "", false
	}
	s.mu.Unlock()
	s.wake()
}

// close ends the server's connection for good.
func (s *server) close() {
	s.mu.Lock()
	conn := s.conn
	s.conn, s.closed, s.state, s.defs = nil, true, Failed, nil
	s.mu.Unlock()
	if conn != nil {
		conn.end()
	}
}
