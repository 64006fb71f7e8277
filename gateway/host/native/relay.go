package native

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/sse"
)

const (
	// maxEvent bounds one event: a tool's output or a long answer in one piece.
	maxEvent = 8 << 20
	// A broken relay tries again after relayFirst, then ever later up to relayLast.
	relayFirst = 100 * time.Millisecond
	relayLast  = 2 * time.Second
)

// relay brings one session's events to one socket.
type relay struct {
	stop context.CancelFunc
	done chan struct{}
	out  func() // it is no longer among what its user has open
}

// follow starts a relay after a cursor, or with a call that the core made. A
// call replaces the relay that there is: the client asked for another place.
// Without one, a session that is followed already stays as it is.
func (s *socket) follow(session, cursor string, first *edge.Call) {
	s.mu.Lock()
	old := s.relays[session]
	if old != nil && first == nil {
		s.mu.Unlock()
		return
	}
	if old == nil && len(s.relays) >= maxFollowed {
		s.mu.Unlock()
		s.fail(session, edge.ErrTooManyFollowed)
		return
	}
	ctx, stop := context.WithCancel(s.ctx)
	r := &relay{stop: stop, done: make(chan struct{})}
	if old != nil {
		r.out = old.out // it takes the other's place
	} else if out, ok := s.host.open.stream(s.id.User); ok {
		r.out = out
	} else {
		s.mu.Unlock()
		stop()
		s.fail(session, edge.TooManyOpen(edge.OpenStreams))
		return
	}
	if s.relays == nil {
		s.relays = make(map[string]*relay)
	}
	s.relays[session] = r
	s.mu.Unlock()
	go func() {
		defer close(r.done)
		defer stop()
		if old != nil {
			old.stop()
			<-old.done // two relays at once would mix their events
		}
		err := s.relay(ctx, session, cursor, first)
		s.mu.Lock()
		if s.relays[session] == r {
			delete(s.relays, session)
			r.out()
		}
		s.mu.Unlock()
		if err != nil && ctx.Err() == nil {
			s.fail(session, err)
		}
	}()
}

// relay brings events until the socket ends or the agent refuses. When the
// stream breaks, because the agent restarts, say, it goes on after the last
// cursor with a fresh pass.
func (s *socket) relay(ctx context.Context, session, cursor string, first *edge.Call) error {
	wait := relayFirst
	for {
		k := first
		if k == nil || cursor != "" {
			fresh := s.host.Core.Follow(s.id, session, s.host.known())
			fresh.Target = after(fresh.Target, cursor)
			k = &fresh
		}
		before := cursor
		if err := s.stream(ctx, *k, &cursor); err != nil {
			return err
		}
		if cursor != before {
			wait = relayFirst
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = min(2*wait, relayLast)
		if first != nil && cursor == "" {
			first = s.again(session, *first)
		}
	}
}

// again is a call that the core made earlier, with a fresh pass: its first one
// may be too old by now. The place that it asks for stays.
func (s *socket) again(session string, k edge.Call) *edge.Call {
	fresh := s.host.Core.Follow(s.id, session, s.host.known())
	fresh.Target = k.Target
	return &fresh
}

func after(target, cursor string) string {
	if cursor == "" {
		return target
	}
	return target + "?after=" + url.QueryEscape(cursor)
}

// stream relays one answer. Its error is a refusal that trying again would not
// change; a stream that broke is none.
func (s *socket) stream(ctx context.Context, k edge.Call, cursor *string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	late := time.AfterFunc(s.host.Timeouts.Agent, func() { cancel(edge.ErrAgentSlow) })
	resp, err := s.roundTrip(ctx, k)
	late.Stop()
	if err != nil {
		s.host.Log.Debug("a relay cannot reach the agent", "user", s.id.User, "error", err)
		return nil
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return refusal(resp)
	}
	events := sse.NewReader(resp.Body, maxEvent)
	defer func() {
		if place := events.Place(); place != "" {
			*cursor = place
		}
	}()
	for {
		e, err := events.Next()
		if errors.Is(err, sse.ErrTooLong) {
			return fault.New(fault.CodeTooLarge, "an event of this session is too large for a frame", "read the session's history over HTTP")
		}
		if err != nil {
			return nil
		}
		s.send(e.Data)
	}
}

// refusal reads an answer that is no stream. What may pass, a restart or a full
// agent, is nil: the relay tries again.
func refusal(resp *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return nil
	}
	refused := answerFault(resp.StatusCode, body)
	passing := resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests
	if passing && fault.CodeOf(refused) != fault.CodeDamaged {
		return nil
	}
	return refused
}
