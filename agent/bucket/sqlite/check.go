package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// Checked is what a look at the whole database has found.
type Checked struct {
	Objects  int      // that are as they were written
	Problems []string // what is not, one sentence each
}

// mostProblems bounds what is told of a file that is damaged all over.
const mostProblems = 100

// Check reads the whole database: its structure by SQLite's own means, and each
// object by its checksums. It may run beside agents, and holds none of them up; the
// log grows while the structure is looked at.
func (s *Store) Check(ctx context.Context) (Checked, error) {
	var c Checked
	if err := s.structure(ctx, &c); err != nil {
		if !errors.Is(err, bucket.ErrDamaged) {
			return c, err
		}
		c.Problems = append(c.Problems, err.Error())
	}
	if err := s.lists(ctx, &c); err != nil {
		return c, err
	}
	after := ""
	for len(c.Problems) < mostProblems {
		keys, err := s.keys(ctx, after)
		if errors.Is(err, bucket.ErrDamaged) {
			c.Problems = append(c.Problems, fmt.Sprintf("what comes after %q cannot be listed: %v", after, err))
			return c, nil
		}
		if err != nil || len(keys) == 0 {
			return c, err
		}
		for _, key := range keys {
			if key <= after {
				c.Problems = append(c.Problems, fmt.Sprintf("the keys are not in their order: %q comes after %q", key, after))
				return c, nil
			}
			after = key
			_, err := s.Get(ctx, key)
			switch {
			case err == nil:
				c.Objects++
			case errors.Is(err, bucket.ErrNotFound): // deleted since
			case errors.Is(err, bucket.ErrDamaged), bucket.CheckKey(key) != nil:
				c.Problems = append(c.Problems, err.Error())
			default:
				return c, err
			}
		}
	}
	return c, nil
}

// lists goes over all rows as a list does, which shows whether any is missing.
func (s *Store) lists(ctx context.Context, c *Checked) error {
	for after, more := "", true; more; {
		var entries []bucket.Entry
		var err error
		entries, more, err = s.List(ctx, "", after, 0)
		if errors.Is(err, bucket.ErrDamaged) {
			c.Problems = append(c.Problems, err.Error())
			return nil
		}
		if err != nil {
			return err
		}
		if len(entries) > 0 {
			after = entries[len(entries)-1].Key
		}
	}
	return nil
}

// structure asks SQLite.
func (s *Store) structure(ctx context.Context, c *Checked) error {
	return s.read(ctx, func(r *reader) error {
		return r.query(ctx, "PRAGMA integrity_check(20)", nil, func(v []driver.Value) error {
			if line := fmt.Sprint(v[0]); line != "ok" {
				c.Problems = append(c.Problems, line)
			}
			return nil
		})
	})
}

// keys lists what follows a key, whole or not.
func (s *Store) keys(ctx context.Context, after string) (keys []string, err error) {
	err = s.read(ctx, func(r *reader) error {
		const following = "SELECT key FROM objects WHERE key>? AND key<? ORDER BY key LIMIT 1000"
		return r.query(context.Background(), following, []driver.Value{after, lastKey}, func(v []driver.Value) error {
			key, ok := v[0].(string)
			if !ok {
				return damaged("the row after %q has no key", after)
			}
			keys = append(keys, key)
			return nil
		})
	})
	return keys, err
}
