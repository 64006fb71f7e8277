package archive

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// An export reads so much at once: enough to hide a store's latency, little
// enough to hold.
const (
	readers   = 32
	readBytes = 16 << 20
)

// WriteTar writes the archive of a snapshot. ErrMoved says that a session was
// deleted meanwhile and what was written is worth nothing.
func (s *Snapshot) WriteTar(ctx context.Context, w io.Writer) (Manifest, error) {
	m := Manifest{Version: version, User: s.User, Sums: []Sum{}, Left: s.left}
	if len(s.entries) > MaxObjects {
		return m, tooLarge("the user has more than %d objects", MaxObjects)
	}
	entries := slices.DeleteFunc(slices.Clone(s.entries), func(e bucket.Entry) bool { return covers(s.left, e.Key) })
	out := tar.NewWriter(w)
	for rest := entries; len(rest) > 0; {
		n := batch(rest)
		bodies, err := s.read(ctx, rest[:n])
		if err != nil {
			return m, err
		}
		for i, e := range rest[:n] {
			if bodies[i] == nil {
				continue // deleted since, and no part of a journal
			}
			if err := writeFile(out, e.Key, bodies[i]); err != nil {
				return m, err
			}
			m.Sums = append(m.Sums, sumOf(e.Key, bodies[i]))
		}
		rest = rest[n:]
	}
	m.Objects = len(m.Sums)
	body, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return m, fmt.Errorf("archive: %w", err)
	}
	if err := writeFile(out, manifest, append(body, '\n')); err != nil {
		return m, err
	}
	if err := out.Close(); err != nil {
		return m, fmt.Errorf("archive: %w", err)
	}
	return m, nil
}

// batch says how many entries are read at once.
func batch(entries []bucket.Entry) int {
	n, size := 0, int64(0)
	for n < len(entries) && n < readers && (n == 0 || size+entries[n].Size <= readBytes) {
		size += entries[n].Size
		n++
	}
	return n
}

// read gives the bodies of objects; nil for one that is gone.
func (s *Snapshot) read(ctx context.Context, entries []bucket.Entry) ([][]byte, error) {
	bodies := make([][]byte, len(entries))
	g, gctx := errgroup.WithContext(ctx)
	for i, e := range entries {
		g.Go(func() error {
			body, err := s.get(gctx, e)
			if errors.Is(err, bucket.ErrNotFound) {
				return nil
			}
			if err != nil {
				return storeFailed(err)
			}
			if len(body) > MaxObject {
				return tooLarge("the object %s is larger than %d MiB", e.Key, MaxObject>>20)
			}
			bodies[i] = append([]byte{}, body...) // not nil, also when empty
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if s.moved.Load() {
		return nil, ErrMoved
	}
	return bodies, nil
}

// writeFile writes an entry whose header says nothing but name and size.
func writeFile(out *tar.Writer, name string, body []byte) error {
	err := out.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(body)), Mode: 0o600, ModTime: time.Unix(0, 0)})
	if err == nil {
		_, err = out.Write(body)
	}
	if err != nil {
		return fmt.Errorf("archive: writing %s: %w", name, err)
	}
	return nil
}
