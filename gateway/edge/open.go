package edge

import (
	"time"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// What one user may have open at once. Rates bound how often something begins, not
// how much of it is held.
const (
	OpenBodies  = "MAX_OPEN_BODY_BYTES" // bytes of requests' bodies on their way
	OpenStreams = "MAX_OPEN_STREAMS"    // answers that last: event streams, and what waits for a model
	OpenSockets = "MAX_OPEN_SOCKETS"    // WebSockets
)

// Most is how much of each a user may have open on one host.
type Most struct {
	BodyBytes        int64
	Streams, Sockets int
}

// UsualMost is what an ordinary host allows.
func UsualMost() Most { return Most{BodyBytes: 64 << 20, Streams: 256, Sockets: 64} }

// FramesPerMinute is how many frames one socket may send in a minute, and at once:
// those that ask for nothing, as pings do, cost something, too. A message of the
// longest kind in pieces of a few hundred bytes is within it.
const FramesPerMinute = 6000

// openRetry is when to try again: what is open may end at any time.
const openRetry = 2 * time.Second

// TooManyOpen refuses to open more of what a variable bounds.
func TooManyOpen(variable string) *fault.Error {
	what := map[string]string{
		OpenBodies:  "too many bytes of this user's uploads are on their way",
		OpenStreams: "this user has too many streams open",
		OpenSockets: "this user has too many WebSockets open",
	}[variable]
	return fault.New(fault.CodeRateLimited, what, "end some first, or have the owner raise "+variable).After(openRetry)
}
