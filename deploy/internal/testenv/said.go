package testenv

import (
	"strings"
	"sync"
)

// Said is what a part of the product says, for a test to read, and in the test's log
// as well.
type Said struct {
	T interface {
		Helper()
		Log(args ...any)
	}

	mu   sync.Mutex
	text strings.Builder
}

// Write takes what is said.
func (s *Said) Write(b []byte) (int, error) {
	s.T.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.T.Log(strings.TrimSpace(string(b)))
	return s.text.Write(b)
}

// String is all that was said, or since the last Take.
func (s *Said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// Take returns what was said since the last time.
func (s *Said) Take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.text.Reset()
	return s.text.String()
}
