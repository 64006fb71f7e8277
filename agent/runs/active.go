package runs

import (
	"maps"
	"slices"
)

// Active returns how many sessions something runs in. Whoever may stop this agent
// asks: what waits for a user's decision does not count. What was left unfinished
// counts until it has been looked through.
func (m *Manager) Active() int { return m.ActiveOf("") }

// ActiveOf returns the same for one user, who may be moved to another agent when it
// is 0; for all when user is empty.
func (m *Manager) ActiveOf(user string) int {
	n := m.recovery.running(user)
	for _, s := range m.sessions.all() {
		if (user == "" || s.user.Name == user) && s.active() {
			n++
		}
	}
	return n
}

// Waiting returns how many messages wait for the run before them.
func (m *Manager) Waiting() int {
	n := 0
	for _, s := range m.sessions.all() {
		s.mu.Lock()
		n += s.state.Waiting()
		s.mu.Unlock()
	}
	return n
}

// Busy names the users of whom something runs.
func (m *Manager) Busy() []string {
	busy := map[string]bool{}
	for _, s := range m.sessions.all() {
		if s.active() {
			busy[s.user.Name] = true
		}
	}
	return slices.AppendSeq([]string{}, maps.Keys(busy))
}

func (s *open) active() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.activeLocked()
}
