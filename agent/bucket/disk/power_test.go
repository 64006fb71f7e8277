package disk

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// TestAPowerLossTakesNothingThatWasAcknowledged records in which order files are
// written, named and synced, and plays power losses from it: of a file that was not
// synced any part is there, of the names in a directory that was not synced each may
// be as it was at any time since, and what lies in a directory without a name is gone.
// What was acknowledged must be whole then, and what was not must be one of the things
// that were being written.
func TestAPowerLossTakesNothingThatWasAcknowledged(t *testing.T) {
	events := busyStore(t, nil)
	acks := 0
	for _, e := range events {
		if e.what == "ack" {
			acks++
		}
	}
	if acks < 300 {
		t.Fatalf("%d acknowledgements: too little to try this on", acks)
	}
	if lost := losses(t, events, 120); len(lost) > 0 {
		t.Errorf("%d losses, such as: %s", len(lost), lost[0])
	}
}

// TestThePowerLossIsNoticed: with any one kind of syncs left out, something is lost.
func TestThePowerLossIsNoticed(t *testing.T) {
	for name, deaf := range map[string]func(event) bool{
		"files":                        func(e event) bool { return e.what == "sync" },
		"directories of objects":       func(e event) bool { return strings.HasSuffix(e.name, "log") },
		"directories of new users":     func(e event) bool { return e.name == "objects/u" },
		"the directory of all objects": func(e event) bool { return e.name == "." },
	} {
		t.Run(name, func(t *testing.T) {
			if lost := losses(t, busyStore(t, deaf), 60); len(lost) == 0 {
				t.Error("nothing is lost without the syncs of " + name)
			}
		})
	}
}

// losses plays power losses and says what each has taken: behind every event, as if
// nothing had reached the disk that was not synced, and at some moments with any part of
// it, in a directory that a store opens.
func losses(t *testing.T, events []event, cuts int) (lost []string) {
	t.Helper()
	dice := rand.New(rand.NewPCG(5, 6))
	at := map[int]bool{len(events): true}
	for range cuts {
		at[1+dice.IntN(len(events))] = true
	}
	m := newModel()
	for i, e := range events {
		m.apply(e)
		if e.what == "ack" {
			lost = append(lost, m.missing(i, m.durable)...)
		}
		if at[i+1] {
			lost = append(lost, afterPowerLoss(t, m, i, dice)...)
		}
	}
	return lost
}

// busyStore lets several write at once, each its own objects below shared directories,
// which come and go with what is deleted.
func busyStore(t *testing.T, deaf func(event) bool) []event {
	t.Helper()
	var r *recorder
	d, err := open(inMemory(t), func(e effects) effects {
		r = &recorder{effects: e, deaf: deaf}
		return r
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			dice := rand.New(rand.NewPCG(uint64(w), 9))
			tags := map[string]string{}
			for i := range 80 {
				key := fmt.Sprintf("u/%d/log/%d-%d", i/4%20, w, dice.IntN(3))
				body := bytes.Repeat(fmt.Appendf(nil, "%s at %d. ", key, i), 40)
				do := dice.IntN(4)
				if tags[key] == "" {
					do = 0
				}
				r.note(event{what: "begin", name: key, data: body, gone: do == 3})
				tag, err := "", error(nil)
				switch do {
				case 0, 1:
					if tag, err = d.Create(t.Context(), key, body); errors.Is(err, bucket.ErrExists) {
						tag, err = d.Put(t.Context(), key, body)
					}
				case 2:
					tag, err = d.Replace(t.Context(), key, body, tags[key])
				case 3:
					err = d.Delete(t.Context(), key)
				}
				if err != nil {
					t.Errorf("%s: %v", key, err)
				}
				tags[key] = tag
				r.note(event{what: "ack", name: key, data: body, gone: do == 3})
			}
		})
	}
	wg.Wait()
	return slices.Clone(r.events)
}

// inMemory is a directory that waits for no disk, where the system has one: what a sync
// would bring about is played here.
func inMemory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "loongclaw-disk-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// node is a file or a directory, as a disk has it: durable is what a sync has brought
// there, pending what was done since.
type node struct {
	dir     bool
	removed bool // stands for a name that was removed
	data    []byte
	synced  bool
	names   map[string]*node   // as they are now
	durable map[string]*node   // of a directory
	pending map[string][]*node // what each name was since, in order
}

func newDir() *node {
	return &node{dir: true, names: map[string]*node{}, durable: map[string]*node{}, pending: map[string][]*node{}}
}

func (n *node) set(name string, to *node) {
	if to.removed {
		delete(n.names, name)
	} else {
		n.names[name] = to
	}
	n.pending[name] = append(n.pending[name], to)
}

// now is what a sync that begins now brings to the disk.
func (n *node) now() map[string]*node {
	at := map[string]*node{}
	for name, list := range n.pending {
		at[name] = list[len(list)-1]
	}
	return at
}

// sync ends a sync. What was pending when it began is durable, unless a later one has
// ended before.
func (n *node) sync(at map[string]*node) {
	for name, to := range at {
		if i := slices.Index(n.pending[name], to); i >= 0 {
			n.durable[name] = to
			if n.pending[name] = n.pending[name][i+1:]; len(n.pending[name]) == 0 {
				delete(n.pending, name)
			}
		}
	}
}

// model is a disk as the events leave it.
type model struct {
	top     *node
	staged  map[string]*node
	opened  map[int]*node
	syncing map[int]map[string]*node // what the sync that a handle has begun will bring
	allowed map[string][]event       // what each key may be
}

func newModel() *model {
	return &model{newDir(), map[string]*node{}, map[int]*node{}, map[int]map[string]*node{}, map[string][]event{}}
}

// at finds a directory as it is now.
func (m *model) at(name string) *node {
	n := m.top
	for _, s := range strings.Split(name, "/") {
		if s != "." && n != nil {
			n = n.names[s]
		}
	}
	return n
}

func (m *model) apply(e event) {
	dir, base := path.Dir(e.name), path.Base(e.name)
	switch e.what {
	case "create":
		m.staged[e.staged] = &node{}
	case "write":
		m.staged[e.staged].data = append(m.staged[e.staged].data, e.data...)
	case "sync":
		m.staged[e.staged].synced = true
	case "mkdir":
		m.at(dir).set(base, newDir())
	case "remove":
		m.at(dir).set(base, &node{removed: true})
	case "open":
		m.opened[e.handle] = m.at(e.name)
	case "link", "rename":
		m.opened[e.handle].set(e.name, m.staged[e.staged])
	case "begin sync":
		m.syncing[e.handle] = m.opened[e.handle].now()
	case "synced":
		m.opened[e.handle].sync(m.syncing[e.handle])
	case "begin":
		m.allowed[e.name] = append(m.allowed[e.name], e)
	case "ack":
		if e.gone { // a delete may be undone, as its package says
			m.allowed[e.name] = append(m.allowed[e.name], e)
		} else {
			m.allowed[e.name] = []event{e}
		}
	}
}

// durable is an object as it is when nothing else has reached the disk.
func (m *model) durable(key string) ([]byte, bool) {
	n := m.top
	for _, s := range strings.Split(place(key), "/") {
		if n = n.durable[s]; n == nil || n.removed {
			return nil, false
		}
	}
	return n.data, n.synced
}

// missing says which keys are nothing that they may be.
func (m *model) missing(i int, get func(key string) ([]byte, bool)) (lost []string) {
	for _, key := range slices.Sorted(maps.Keys(m.allowed)) {
		body, there := get(key)
		may := slices.ContainsFunc(m.allowed[key], func(e event) bool { return bytes.Equal(e.data, body) })
		if there && !may || !there && !mayBeAbsent(m.allowed[key]) {
			lost = append(lost, fmt.Sprintf("behind event %d: %s is %d bytes (there: %v), which is none of %d things that it may be", i, key, len(body), there, len(m.allowed[key])))
		}
	}
	return lost
}

// afterPowerLoss makes the directory as it may be after a power loss, and says what a
// store does not find in it.
func afterPowerLoss(t *testing.T, m *model, i int, dice *rand.Rand) []string {
	t.Helper()
	dir := inMemory(t)
	materialize(t, m.top, dir, dice)
	d, err := open(dir, func(e effects) effects { return &recorder{effects: e} }) // without waiting for the disk
	if err != nil {
		return []string{fmt.Sprintf("behind event %d: it does not open: %v", i, err)}
	}
	defer func() { _ = d.Close() }()
	return m.missing(i, func(key string) ([]byte, bool) {
		o, err := d.Get(t.Context(), key)
		if err != nil && !errors.Is(err, bucket.ErrNotFound) {
			t.Fatal(err)
		}
		return o.Body, err == nil
	})
}

// mayBeAbsent reports whether nothing of a key was acknowledged, or its removal begun.
func mayBeAbsent(all []event) bool {
	return all[0].what == "begin" || slices.ContainsFunc(all, func(e event) bool { return e.gone })
}

// materialize writes a directory as the disk may have it.
func materialize(t *testing.T, n *node, dir string, dice *rand.Rand) {
	t.Helper()
	names := maps.Clone(n.durable)
	for _, name := range slices.Sorted(maps.Keys(n.pending)) {
		if i := dice.IntN(len(n.pending[name]) + 1); i > 0 {
			names[name] = n.pending[name][i-1]
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		to := names[name]
		file := filepath.Join(dir, name)
		var err error
		switch {
		case to.removed:
		case to.dir:
			if err = os.Mkdir(file, 0o700); err == nil {
				materialize(t, to, file, dice)
			}
		case to.synced:
			err = os.WriteFile(file, to.data, 0o600)
		default:
			err = os.WriteFile(file, to.data[:dice.IntN(len(to.data)+1)], 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
