package session

import "fmt"

// Phase is what a process does with a session that it has in memory.
type Phase int

// The phases of a session in a process.
const (
	Idle     Phase = iota // nothing: no run is due, or none may begin
	Carrying              // a worker carries its runs out
	Watching              // another process has it in hand; a look at that is due
	Ended                 // it was cleared or deleted: this life is over
)

// Marker is the session's pending marker in the store, by which a start finds what
// was left unfinished.
type Marker int

// What a process knows of the pending marker.
const (
	Unmarked  Marker = iota // there is none, or none that this process is to remove
	Ours                    // this process wrote it
	Inherited               // it was found; another process may have written it, and may be alive
)

// Holder is who has a session's current run.
type Holder int

// Who can have a session's current run.
const (
	Nobody  Holder = iota
	Self           // this process
	Another        // another process, which may have ended
)

// Lifecycle is where a session stands in a process. The zero value is a session that
// was just read.
type Lifecycle struct {
	Phase  Phase
	Marker Marker
}

// Change is what can happen to a session in a process.
type Change int

// What can happen to a session in a process.
const (
	CarryBegins    Change = iota // a worker begins
	CarryEnds                    // the worker ends
	WatchBegins                  // a look at another process is due
	WatchEnds                    // it was looked
	MarkerWritten                // the pending marker is in the store
	MarkerFound                  // a start has found the marker
	MarkerRemoved                // the marker was removed
	GenerationEnds               // the session was cleared or deleted
)

// With returns where a session stands after a change, or an error where the change
// is illegal: two workers would give one answer, mixed, and nothing begins in a
// life that is over.
func (l Lifecycle) With(c Change) (Lifecycle, error) {
	illegal := fmt.Errorf("session: %s in phase %s with marker %s", c, l.Phase, l.Marker)
	switch c {
	case CarryBegins:
		if l.Phase != Idle && l.Phase != Watching {
			return l, illegal
		}
		l.Phase = Carrying
	case CarryEnds:
		switch l.Phase {
		case Carrying:
			l.Phase = Idle
		case Ended: // it ended while the worker was still at it
		default:
			return l, illegal
		}
	case WatchBegins:
		if l.Phase != Idle {
			return l, illegal
		}
		l.Phase = Watching
	case WatchEnds:
		if l.Phase == Watching {
			l.Phase = Idle
		} // else a worker began meanwhile, or the life has ended
	case MarkerWritten:
		l.Marker = Ours
	case MarkerFound:
		if l.Marker == Unmarked {
			l.Marker = Inherited
		}
	case MarkerRemoved:
		l.Marker = Unmarked
	case GenerationEnds:
		l.Phase = Ended
	default:
		return l, illegal
	}
	return l, nil
}

func (p Phase) String() string {
	return name(int(p), "idle", "carrying", "watching", "ended")
}

func (m Marker) String() string {
	return name(int(m), "unmarked", "ours", "inherited")
}

func (h Holder) String() string {
	return name(int(h), "nobody", "self", "another")
}

func (c Change) String() string {
	return name(int(c), "carry begins", "carry ends", "watch begins", "watch ends", "marker written", "marker found", "marker removed", "life ends")
}

func name(i int, names ...string) string {
	if i < 0 || i >= len(names) {
		return fmt.Sprintf("%d?", i)
	}
	return names[i]
}
