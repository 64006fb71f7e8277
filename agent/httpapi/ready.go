package httpapi

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

const (
	// asksOften is the longest pause between two questions of somebody who keeps
	// looking: a gateway with several agents asks every second or two.
	asksOften = 3 * time.Second
	// drainDelay is how long such a one needs to hear that this agent stops, and to
	// send its users elsewhere.
	drainDelay = 3 * time.Second
)

// readiness is whether requests are welcome, and who wants to know.
type readiness struct {
	ready, stopping atomic.Bool
	asked           atomic.Int64 // when somebody asked last, in Unix nanoseconds
}

// SetReady says that requests are welcome.
func (s *Server) SetReady() { s.state.ready.Store(true) }

// Farewell says from now on that this agent stops, and comes back when whoever
// keeps asking has had time to hear it. Until then everything is served as before:
// nobody finds an egress proxy closed that was open a moment ago.
func (s *Server) Farewell(ctx context.Context) {
	s.state.ready.Store(false)
	s.state.stopping.Store(true)
	if s.Now().Sub(time.Unix(0, s.state.asked.Load())) > asksOften {
		return
	}
	t := time.NewTimer(drainDelay)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func (s *Server) isReady(echo.Context) (readyAnswer, error) {
	s.state.asked.Store(s.Now().UnixNano())
	switch {
	case s.state.stopping.Load():
		return readyAnswer{}, fault.New(fault.CodeDraining, "the agent is stopping", "ask another one, or this one when it is back").After(time.Second)
	case !s.state.ready.Load():
		return readyAnswer{}, fault.New(fault.CodeUnavailable, "the agent is starting", "try again").After(time.Second)
	}
	return readyAnswer{Status: "ready", Version: s.Version}, nil
}

func (s *Server) health(echo.Context) (healthAnswer, error) {
	return healthAnswer{Status: "ok", Agent: "熊大", Timestamp: chat.At(s.Now()), Version: s.Version}, nil
}

// active says how many sessions something runs in, so that nobody stops the agent
// under them, and whose; with ?user=NAME, those of one user, so that nobody moves
// that user.
func (s *Server) active(c echo.Context) (activeAnswer, error) {
	if user := c.QueryParam("user"); user != "" {
		return activeAnswer{Active: s.Activity.ActiveOf(user)}, nil
	}
	return activeAnswer{Active: s.Activity.Active(), Users: s.Activity.Busy()}, nil
}
