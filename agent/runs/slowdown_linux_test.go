package runs_test

import (
	"crypto/sha256"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// slowdown says how many times longer work takes now than on an idle machine: by
// the clock, beside the time of a processor that the same work was given.
func slowdown(t *testing.T) float64 {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	given := func() time.Duration {
		var u unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_THREAD, &u); err != nil {
			t.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	began, had := time.Now(), given()
	var sum [sha256.Size]byte
	for given()-had < 50*time.Millisecond {
		for range 1000 {
			sum = sha256.Sum256(sum[:])
		}
	}
	return max(1, float64(time.Since(began))/float64(given()-had))
}
