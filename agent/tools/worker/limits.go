package worker

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"
)

// limit sets the kernel's own limits for this process. They hold also when
// nothing in it gets a turn any more.
func limit(h header) {
	lower(syscall.RLIMIT_CORE, 0)
	if h.Programs {
		return
	}
	// Two threads may compute at the same time, one of them the collector.
	seconds := uint64((h.Time + orphanLife) / time.Second) //nolint:gosec // never below 0
	lower(syscall.RLIMIT_CPU, 2*seconds)
	lower(syscall.RLIMIT_FSIZE, 0) // such a task writes no file
	// Go reserves more addresses than it uses, so that what it has now is added.
	space, data := sizes()
	room := uint64(h.Memory) * 3 / 2 //nolint:gosec // a size, never below 0
	if data > 0 {
		lower(syscall.RLIMIT_DATA, data+room)
	}
	if space > 0 {
		const reserved = 256 << 20 // arenas are taken in steps of 64 MiB
		lower(syscall.RLIMIT_AS, space+room+reserved)
	}
}

// lower sets a limit that cannot be raised again. One that is lower already
// stays, and where the system has none, the others hold.
func lower(what int, most uint64) {
	_ = syscall.Setrlimit(what, &syscall.Rlimit{Cur: most, Max: most})
}

// sizes gives the bytes of addresses and of writable data that this process has,
// 0 where the system does not say.
func sizes() (space, data uint64) {
	b, err := os.ReadFile("/proc/self/statm")
	fields := bytes.Fields(b)
	if err != nil || len(fields) < 6 {
		return 0, 0
	}
	page := uint64(os.Getpagesize()) //nolint:gosec // positive
	pages, err := strconv.ParseUint(string(fields[0]), 10, 64)
	if err != nil {
		return 0, 0
	}
	written, err := strconv.ParseUint(string(fields[5]), 10, 64)
	if err != nil {
		return 0, 0
	}
	return pages * page, written * page
}
