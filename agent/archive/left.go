package archive

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// tooLargeOf finds the objects that no archive can hold, which only an earlier
// version has written. A journal without one of its objects is worth nothing, so
// the whole life of that session is left out; the others are worth as much as ever.
func tooLargeOf(user string, entries []bucket.Entry) []Left {
	var left []Left
	for _, e := range entries {
		if e.Size <= MaxObject {
			continue
		}
		one := Left{Key: e.Key, Size: e.Size}
		if life, ok := users.GenerationOf(user, e.Key); ok {
			one.Life = strings.TrimSuffix(users.SessionPrefix(user, life.Session, life.Epoch), "log/")
		}
		left = append(left, one)
	}
	return left
}

// covers reports whether a key is among what was left out.
func covers(left []Left, key string) bool {
	return slices.ContainsFunc(left, func(l Left) bool {
		return key == l.Key || (l.Life != "" && strings.HasPrefix(key, l.Life))
	})
}

// leftLife reports whether a life of a session was left out.
func leftLife(left []Left, user, session string, epoch uint64) bool {
	return covers(left, users.SessionPrefix(user, session, epoch))
}

// Left gives the faults of what an archive of this snapshot lacks.
func (s *Snapshot) Left() []error { return leftFaults(s.left) }

// Left gives the faults of what the archive lacks.
func (a *Archive) Left() []error { return leftFaults(a.Manifest.Left) }

func leftFaults(left []Left) []error {
	var found []error
	for _, l := range left {
		what := l.Key
		if l.Life != "" {
			what = "everything below " + l.Life
		}
		found = append(found, fault.New(fault.CodeTooLarge,
			fmt.Sprintf("%s is left out: the object %s has %d bytes, and no store takes more than %d MiB", what, l.Key, l.Size, MaxObject>>20),
			"read it with -format json where the store still gives it, then delete that session"))
	}
	return found
}
