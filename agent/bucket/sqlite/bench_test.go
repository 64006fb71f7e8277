package sqlite_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// BenchmarkOperations is what one operation costs beside 10,000 objects of 700 bytes.
func BenchmarkOperations(b *testing.B) {
	s, ctx, body := open(b, filepath.Join(b.TempDir(), "a.db")), b.Context(), make([]byte, 700)
	key := func(i int) string { return fmt.Sprintf("u/u%d/s/a/000001/log/%012d", i%1000, i/1000) }
	for i := range 10_000 {
		if _, err := s.Create(ctx, key(i), body); err != nil {
			b.Fatal(err)
		}
	}
	for name, do := range map[string]func(i int) error{
		"get": func(i int) error { _, err := s.Get(ctx, key(i%10_000)); return err },
		"get what is not there": func(i int) error {
			if _, err := s.Get(ctx, key(10_000+i%10_000)); !errors.Is(err, bucket.ErrNotFound) {
				return fmt.Errorf("got %w", err)
			}
			return nil
		},
		"list": func(i int) error {
			_, _, err := s.List(ctx, fmt.Sprintf("u/u%d/s/a/", i%1000), "", 1)
			return err
		},
		"put": func(i int) error { _, err := s.Put(ctx, key(i%10_000), body); return err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if i++; do(i) != nil {
					b.Fatal(do(i))
				}
			}
		})
	}
}

// BenchmarkChat is what a new conversation and its answer ask of the store, in their
// order, with the CPU that it takes: of a store that waits for a disk the time says
// little.
func BenchmarkChat(b *testing.B) {
	s, ctx, body := open(b, filepath.Join(b.TempDir(), "a.db")), b.Context(), make([]byte, 700)
	b.ReportAllocs()
	before := used(b)
	i := 0
	for b.Loop() {
		i++
		user := fmt.Sprintf("u/u%d/", i/2)
		log := user + fmt.Sprintf("s/s%d/000001/log/", i)
		missing := func(key string) {
			if _, err := s.Get(ctx, key); !errors.Is(err, bucket.ErrNotFound) {
				b.Error(err)
			}
		}
		list := func(prefix string) {
			if _, _, err := s.List(ctx, prefix, "", 0); err != nil {
				b.Error(err)
			}
		}
		list(user + "log/")
		missing(user + "snap/end")
		list(user + "open/")
		list(user + fmt.Sprintf("s/s%d/", i))
		var wg sync.WaitGroup
		for _, do := range []func(){
			func() { missing("config/SOUL.md"); missing(user + "config/SOUL.md") },
			func() { _, _ = s.Put(ctx, user+fmt.Sprintf("open/s%d", i), body[:300]) },
			func() { _, _ = s.Create(ctx, log+"000000000001", body) },
		} {
			wg.Go(do)
		}
		wg.Wait()
		missing(user + "log/000000000001")
		list(user + "files/skills/")
		missing(user + "config/skills.json")
		missing(user + "config/mcp.json")
		if _, err := s.Create(ctx, log+"000000000002", body); err != nil {
			b.Error(err)
		}
	}
	b.ReportMetric(float64((used(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// used is the CPU time of this process.
func used(b *testing.B) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
