package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// event is something that was done to a file, or an acknowledgement.
type event struct {
	what string // write, truncate, sync; make, delete, sync folder; ack
	file string
	at   int64
	data []byte
	key  string // acknowledged
}

// recorder is a layer of SQLite's below the pager, which notes in which order files
// are written and synced, and passes all on.
type recorder struct {
	mu      sync.Mutex
	events  []event
	names   map[uintptr]string   // of open files, by their handle
	methods map[uintptr]*methods // by the address of SQLite's own
	of      map[uintptr]*methods // by the handle of a file
	vfs     *lib.Tsqlite3_vfs
	open    uintptr
	remove  uintptr
	fresh   map[uintptr]bool // logs whose first sync syncs the folder, too
	lawless bool             // processes do not see each other's locks
}

// methods are what a kind of files can do: databases share memory, logs do not.
type methods struct{ below, own lib.Tsqlite3_io_methods }

// recorded is the one recorder of this process: SQLite keeps its address.
var recorded = &recorder{names: map[uintptr]string{}, methods: map[uintptr]*methods{}, of: map[uintptr]*methods{}, fresh: map[uintptr]bool{}}

const recorderName = "recorder"

var register sync.Once

// record begins anew, and gives the recorder.
func record(t *testing.T) *recorder {
	t.Helper()
	r := recorded
	register.Do(func() {
		tls := libc.NewTLS()
		r.vfs = kept(tls, *at[lib.Tsqlite3_vfs](lib.Xsqlite3_vfs_find(tls, 0)))
		r.open = r.vfs.FxOpen
		name, err := libc.CString(recorderName)
		if err != nil {
			t.Fatal(err)
		}
		r.remove = r.vfs.FxDelete
		r.vfs.FzName, r.vfs.FxOpen, r.vfs.FxDelete = name, pointer(recordOpen), pointer(recordDelete)
		if rc := lib.Xsqlite3_vfs_register(tls, address(r.vfs), 0); rc != lib.SQLITE_OK {
			t.Fatalf("vfs_register: %d", rc)
		}
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = nil
	return r
}

func (r *recorder) note(e event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// syncs is how often a file was synced.
func (r *recorder) syncs(file string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.what == "sync" && e.file == file {
			n++
		}
	}
	return n
}

func (r *recorder) name(file uintptr) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.names[file]
}

// below is what SQLite itself does with a file.
func (r *recorder) below(file uintptr) lib.Tsqlite3_io_methods {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.of[file].below
}

func recordOpen(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32 {
	r := recorded
	_, err := os.Stat(libc.GoString(name))
	rc := function[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](r.open)(tls, vfs, name, file, flags, out)
	f := at[lib.Tsqlite3_file](file)
	if rc != lib.SQLITE_OK || name == 0 || f.FpMethods == 0 {
		return rc
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.names[file] = filepath.Base(libc.GoString(name))
	if log := flags&(lib.SQLITE_OPEN_WAL|lib.SQLITE_OPEN_MAIN_JOURNAL) != 0; log && flags&lib.SQLITE_OPEN_CREATE != 0 {
		// As SQLite does: the first sync of a log that was made syncs its folder.
		r.fresh[file] = true
		if errors.Is(err, fs.ErrNotExist) {
			r.events = append(r.events, event{what: "make", file: r.names[file]})
		}
	}
	m := r.methods[f.FpMethods]
	if m == nil {
		below := *at[lib.Tsqlite3_io_methods](f.FpMethods)
		m = kept(tls, methods{below: below, own: below})
		m.own.FxWrite, m.own.FxSync, m.own.FxTruncate = pointer(recordWrite), pointer(recordSync), pointer(recordTruncate)
		if r.lawless {
			m.own.FxShmLock = pointer(noLock)
		}
		r.methods[f.FpMethods] = m
	}
	r.of[file] = m
	f.FpMethods = address(&m.own)
	return rc
}

func recordWrite(tls *libc.TLS, file, data uintptr, n int32, offset int64) int32 {
	r := recorded
	body := make([]byte, n)
	copy(body, unsafe.Slice(at[byte](data), n))
	r.note(event{what: "write", file: r.name(file), at: offset, data: body})
	return function[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](r.below(file).FxWrite)(tls, file, data, n, offset)
}

func recordTruncate(tls *libc.TLS, file uintptr, size int64) int32 {
	r := recorded
	r.note(event{what: "truncate", file: r.name(file), at: size})
	return function[func(*libc.TLS, uintptr, int64) int32](r.below(file).FxTruncate)(tls, file, size)
}

func recordSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	r := recorded
	rc := function[func(*libc.TLS, uintptr, int32) int32](r.below(file).FxSync)(tls, file, flags)
	r.note(event{what: "sync", file: r.name(file)}) // not before it is done
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fresh[file] {
		delete(r.fresh, file)
		r.events = append(r.events, event{what: "sync folder"})
	}
	return rc
}

func recordDelete(tls *libc.TLS, vfs, name uintptr, syncFolder int32) int32 {
	r := recorded
	r.note(event{what: "delete", file: filepath.Base(libc.GoString(name))})
	rc := function[func(*libc.TLS, uintptr, uintptr, int32) int32](r.remove)(tls, vfs, name, syncFolder)
	if syncFolder != 0 {
		r.note(event{what: "sync folder"})
	}
	return rc
}

// kept copies a value into memory of the translated C, where it stays: SQLite keeps its
// address and does arithmetic on it, for which the race detector ends a program where
// the memory is Go's.
func kept[T any](tls *libc.TLS, v T) *T {
	p := at[T](libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(v))))
	*p = v
	return p
}

// How the translated C knows pointers: as numbers.
func pointer[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&struct{ f F }{f})) }

func function[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&struct{ p uintptr }{p})) }

func at[T any](p uintptr) *T { return *(**T)(unsafe.Pointer(&p)) }

func address[T any](v *T) uintptr { return uintptr(unsafe.Pointer(v)) }
