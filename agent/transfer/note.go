package transfer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// noteKey is where a target says that a copy into it is not finished. As long as it
// does, all that is in it came from there, and may be replaced and removed.
const noteKey = "config/copy-under-way"

// state is how far a copy into a store has come.
type state string

const (
	unknown  state = ""         // no copy, or a finished one
	underWay state = "underWay" // begun and not ended
	live     state = "live"     // whole, but its source was in use: another one is to follow
)

type note struct {
	State state `json:"state"`
}

func readNote(ctx context.Context, b bucket.Bucket) (state, error) {
	o, err := b.Get(ctx, noteKey)
	if errors.Is(err, bucket.ErrNotFound) {
		return unknown, nil
	}
	if err != nil {
		return unknown, err
	}
	var n note
	if err := json.Unmarshal(o.Body, &n); err != nil {
		return unknown, fmt.Errorf("the object %s cannot be read: %w", noteKey, err)
	}
	return n.State, nil
}

func writeNote(ctx context.Context, b bucket.Bucket, s state) error {
	if s == unknown {
		return b.Delete(ctx, noteKey)
	}
	body, err := json.Marshal(note{s})
	if err != nil {
		return err
	}
	_, err = b.Put(ctx, noteKey, body)
	return err
}

// Ready refuses a store into which a copy was begun and not ended: an agent would
// take what is missing for damage, or for not being there. An agent that uses a copy
// of a live store makes it its own: what is in it from now on is no copy any more.
func Ready(ctx context.Context, b bucket.Bucket) error {
	s, err := readNote(ctx, b)
	if err != nil {
		return err
	}
	switch s {
	case underWay:
		return fault.New(fault.CodeConflict, "a copy into this store was begun and has not ended",
			"run `agent copy` again until it ends; to use what is there all the same, run `echo {} | agent put "+noteKey+"`")
	case live:
		return writeNote(ctx, b, unknown)
	}
	return nil
}
