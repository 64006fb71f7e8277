package sqlite

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// TestAPowerLossTakesNothingThatWasAcknowledged records in which order SQLite writes
// and syncs, and plays power losses from it: what was synced is there, of what was
// written since any part is, in any order, in sectors. Whatever was acknowledged
// before must be whole then, and the database sound.
func TestAPowerLossTakesNothingThatWasAcknowledged(t *testing.T) {
	events := busyStore(t)
	acks, syncs := 0, map[string]int{}
	for _, e := range events {
		if e.what == "sync" {
			syncs[filepath.Ext(e.file)]++
		}
		if e.what == "ack" {
			acks++
		}
	}
	if acks < 300 || syncs[".db-wal"] < 20 || syncs[".db"] < 2 {
		t.Fatalf("%d acknowledgements, syncs %v: too little to try this on", acks, syncs)
	}
	if lost := losses(t, events, 60); len(lost) > 0 {
		t.Errorf("%d losses, such as: %s", len(lost), lost[0])
	}
}

// TestThePowerLossIsNoticed: a program that left a kind of syncs out would have the same
// record without them, and loses something.
func TestThePowerLossIsNoticed(t *testing.T) {
	events := busyStore(t)
	for _, without := range []event{{what: "sync", file: "a.db-wal"}, {what: "sync", file: "a.db"}, {what: "sync folder"}} {
		fewer := slices.DeleteFunc(slices.Clone(events), func(e event) bool { return e.what == without.what && e.file == without.file })
		if len(fewer) == len(events) || len(losses(t, fewer, 30)) == 0 {
			t.Errorf("without %d of %q %q nothing is lost", len(events)-len(fewer), without.what, without.file)
		}
	}
}

// losses plays power losses at some moments and says what they have taken.
func losses(t *testing.T, events []event, cuts int) (lost []string) {
	t.Helper()
	dice := rand.New(rand.NewPCG(3, 4))
	for range cuts {
		cut := 1 + dice.IntN(len(events))
		lost = append(lost, afterPowerLoss(t, events[:cut], dice)...)
	}
	return append(lost, afterPowerLoss(t, events, dice)...)
}

// busyStore lets several write at once, so that groups, replaced and deleted objects
// and checkpoints are among what is recorded.
func busyStore(t *testing.T) []event {
	t.Helper()
	r := record(t)
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "a.db"), vfs: recorderName})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			for i := range 70 {
				key := fmt.Sprintf("u/%d/log/%012d", w, i)
				if _, err := s.Create(t.Context(), key, bodyOf(key, 1)); err != nil {
					t.Error(err)
				}
				r.note(event{what: "ack", key: key})
			}
		})
	}
	wg.Wait()
	r.mu.Lock()
	events := r.events
	r.mu.Unlock()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	return events
}

func bodyOf(key string, n int) []byte { return bytes.Repeat([]byte(key), n*300) }

const sector = 512

// afterPowerLoss makes the files as they may be after a power loss behind the last of
// the events, and says what a store does not find in them.
func afterPowerLoss(t *testing.T, events []event, dice *rand.Rand) []string {
	t.Helper()
	files, pending := map[string][]byte{}, map[string][]event{}
	there := map[string]bool{"a.db": true} // what the folder names
	var names []event                      // made and deleted since it was synced
	name := func(e event) { there[e.file] = e.what == "make" }
	for _, e := range events {
		switch e.what {
		case "make", "delete":
			names = append(names, e)
			if e.what == "make" {
				delete(files, e.file)
			}
			delete(pending, e.file)
		case "sync folder":
			for _, n := range names {
				name(n)
			}
			names = nil
		case "sync":
			for _, w := range pending[e.file] {
				files[e.file] = apply(files[e.file], w)
			}
			delete(pending, e.file)
		case "write", "truncate":
			pending[e.file] = append(pending[e.file], e)
		}
	}
	for name, list := range pending {
		for _, e := range list {
			files[name] = applySome(files[name], e, dice)
		}
	}
	for _, n := range names[:dice.IntN(len(names)+1)] { // a folder's changes come in their order
		name(n)
	}
	dir := t.TempDir()
	for name, body := range files {
		if !there[name] {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(t.Context(), Config{Path: filepath.Join(dir, "a.db")})
	if err != nil {
		return []string{fmt.Sprintf("behind event %d: it does not open: %v", len(events), err)}
	}
	defer func() { _ = s.Close() }()
	lost := 0
	for _, e := range events {
		if e.what != "ack" {
			continue
		}
		if o, err := s.Get(t.Context(), e.key); err != nil || !bytes.Equal(o.Body, bodyOf(e.key, 1)) {
			lost++
		}
	}
	if found, err := s.Check(t.Context()); lost > 0 || err != nil || len(found.Problems) > 0 {
		return []string{fmt.Sprintf("behind event %d: %d acknowledged objects are lost; Check = %+v, %v", len(events), lost, found, err)}
	}
	return nil
}

func apply(body []byte, e event) []byte {
	if e.what == "truncate" {
		if e.at < int64(len(body)) {
			return bytes.Clone(body[:e.at])
		}
		return body
	}
	if end := e.at + int64(len(e.data)); end > int64(len(body)) {
		body = append(body, make([]byte, end-int64(len(body)))...)
	}
	copy(body[e.at:], e.data)
	return body
}

// applySome writes none, all or some sectors of what was not synced.
func applySome(body []byte, e event, dice *rand.Rand) []byte {
	switch dice.IntN(3) {
	case 0:
		return body
	case 1:
		return apply(body, e)
	}
	if e.what == "truncate" {
		return apply(body, e)
	}
	for from := 0; from < len(e.data); from += sector {
		if dice.IntN(2) == 0 {
			part := event{what: "write", at: e.at + int64(from), data: e.data[from:min(from+sector, len(e.data))]}
			body = apply(body, part)
		}
	}
	return body
}
