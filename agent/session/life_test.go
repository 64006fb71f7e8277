package session_test

import (
	"testing"

	"github.com/loongclaw/loongclaw/agent/session"
)

// Every change in every phase, and what comes of it; -1 is illegal.
func TestPhases(t *testing.T) {
	const illegal = session.Phase(-1)
	all := []session.Phase{session.Idle, session.Carrying, session.Watching, session.Ended}
	table := map[session.Change][4]session.Phase{
		session.CarryBegins:    {session.Carrying, illegal, session.Carrying, illegal},
		session.CarryEnds:      {illegal, session.Idle, illegal, session.Ended},
		session.WatchBegins:    {session.Watching, illegal, illegal, illegal},
		session.WatchEnds:      {session.Idle, session.Carrying, session.Idle, session.Ended},
		session.GenerationEnds: {session.Ended, session.Ended, session.Ended, session.Ended},
	}
	for change, want := range table {
		for i, phase := range all {
			got, err := session.Lifecycle{Phase: phase}.With(change)
			switch {
			case want[i] == illegal && err == nil:
				t.Errorf("%s in phase %s is legal", change, phase)
			case want[i] == illegal && got.Phase != phase:
				t.Errorf("%s in phase %s is illegal and changes it to %s", change, phase, got.Phase)
			case want[i] != illegal && (err != nil || got.Phase != want[i]):
				t.Errorf("%s in phase %s = %s, %v; want %s", change, phase, got.Phase, err, want[i])
			}
		}
	}
}

func TestMarkers(t *testing.T) {
	all := []session.Marker{session.Unmarked, session.Ours, session.Inherited}
	table := map[session.Change][3]session.Marker{
		session.MarkerWritten: {session.Ours, session.Ours, session.Ours},
		session.MarkerFound:   {session.Inherited, session.Ours, session.Inherited},
		session.MarkerRemoved: {session.Unmarked, session.Unmarked, session.Unmarked},
	}
	for change, want := range table {
		for i, marker := range all {
			if got, err := (session.Lifecycle{Marker: marker}).With(change); err != nil || got.Marker != want[i] {
				t.Errorf("%s with %s = %s, %v; want %s", change, marker, got.Marker, err, want[i])
			}
		}
	}
}
