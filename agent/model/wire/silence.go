package wire

import (
	"sync"
	"time"
)

// Silence ends a request whose provider says nothing for too long. A stream is waited
// for hundreds of times, so all of its waits share one timer: it is not moved with
// each of them, but looks, when it fires, how long the present one has lasted.
type Silence struct {
	end func() // ends the request

	mu    sync.Mutex
	until time.Time // when the present wait has lasted too long; zero where there is none
	timer *time.Timer
	fires time.Time // when the timer looks; zero where it is not set
}

// NewSilence makes one for a request that end ends.
func NewSilence(end func()) *Silence { return &Silence{end: end} }

// Wait begins a wait that may take so long. One that may take no time ends the request
// at once: whoever sends without a pause would be heard before a timer fires.
func (s *Silence) Wait(most time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if most <= 0 {
		s.end()
		return
	}
	s.until = time.Now().Add(most)
	if s.fires.IsZero() || s.until.Before(s.fires) {
		s.setLocked(most)
	}
}

// Heard ends the wait.
func (s *Silence) Heard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = time.Time{}
}

// Stop ends the wait, and with it the timer.
func (s *Silence) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until, s.fires = time.Time{}, time.Time{}
	if s.timer != nil {
		s.timer.Stop()
	}
}

func (s *Silence) setLocked(in time.Duration) {
	s.fires = s.until
	if s.timer == nil {
		s.timer = time.AfterFunc(in, s.look)
	} else {
		s.timer.Reset(in)
	}
}

// look ends the request when its present wait has lasted too long.
func (s *Silence) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fires = time.Time{}
	if s.until.IsZero() {
		return
	}
	if rest := time.Until(s.until); rest > 0 {
		s.setLocked(rest)
		return
	}
	s.until = time.Time{}
	s.end()
}
