package disk

import (
	"sync"
	"time"
)

// event is something that was done to the directory, or to an object.
type event struct {
	what   string // create, write, sync, discard; mkdir, remove; open, link, rename, begin sync, synced; begin, ack
	name   string // of the file or the directory; the key of an object
	staged string
	handle int // of an open directory, which may have another name by now, or none
	data   []byte
	gone   bool // the object is deleted
}

// recorder notes in which order things are done, and does them.
type recorder struct {
	effects
	mu     sync.Mutex
	events []event
	opened int
	// deaf is asked whether a sync is left out: a program that forgot it would have the
	// same record.
	deaf func(event) bool
}

func (r *recorder) note(e event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// do does something that changes names, alone: its place in the record is the one that
// it has in the file system.
func (r *recorder) do(e event, do func() error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := do()
	if err == nil {
		r.events = append(r.events, e)
	}
	return err
}

// took stands for a sync: nobody takes the power away here, but others run meanwhile.
func took() { time.Sleep(50 * time.Microsecond) }

func (r *recorder) create(staged string) (file, error) {
	f, err := r.effects.create(staged)
	if err != nil {
		return nil, err
	}
	r.note(event{what: "create", staged: staged})
	return &recordedFile{f, r, staged}, nil
}

func (r *recorder) discard(staged string) error {
	return r.do(event{what: "discard", staged: staged}, func() error { return r.effects.discard(staged) })
}

func (r *recorder) mkdir(dir string) error {
	return r.do(event{what: "mkdir", name: dir}, func() error { return r.effects.mkdir(dir) })
}

func (r *recorder) remove(name string) error {
	return r.do(event{what: "remove", name: name}, func() error { return r.effects.remove(name) })
}

func (r *recorder) rmdir(dir string) error {
	return r.do(event{what: "remove", name: dir}, func() error { return r.effects.rmdir(dir) })
}

func (r *recorder) open(dir string) (folder, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f, err := r.effects.open(dir)
	if err != nil {
		return nil, err
	}
	r.opened++
	r.events = append(r.events, event{what: "open", name: dir, handle: r.opened})
	return &recordedFolder{f, r, dir, r.opened}, nil
}

type recordedFile struct {
	file
	of     *recorder
	staged string
}

func (f *recordedFile) Write(b []byte) (int, error) {
	f.of.note(event{what: "write", staged: f.staged, data: append([]byte{}, b...)})
	return f.file.Write(b)
}

func (f *recordedFile) Sync() error {
	e := event{what: "sync", staged: f.staged}
	if f.of.deaf != nil && f.of.deaf(e) {
		return nil
	}
	took()
	f.of.note(e)
	return nil
}

type recordedFolder struct {
	folder
	of     *recorder
	dir    string
	handle int
}

func (f *recordedFolder) link(staged, name string) error {
	e := event{what: "link", staged: staged, name: name, handle: f.handle}
	return f.of.do(e, func() error { return f.folder.link(staged, name) })
}

func (f *recordedFolder) rename(staged, name string) error {
	e := event{what: "rename", staged: staged, name: name, handle: f.handle}
	return f.of.do(e, func() error { return f.folder.rename(staged, name) })
}

func (f *recordedFolder) Sync() error {
	if f.of.deaf != nil && f.of.deaf(event{what: "synced", name: f.dir}) {
		return nil
	}
	f.of.note(event{what: "begin sync", handle: f.handle})
	took()
	f.of.note(event{what: "synced", handle: f.handle})
	return nil
}
