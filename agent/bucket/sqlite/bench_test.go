package sqlite_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

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
