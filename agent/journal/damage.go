package journal

import (
	"errors"
	"fmt"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// damage is the error of a journal that holds what cannot be right. Nothing is
// written to such a journal.
func damage(key, why string) error {
	return fault.Wrap(fmt.Errorf("object %s: %s", key, why), fault.CodeDamaged,
		"the stored object "+key+" is damaged: "+why,
		"restore this object from a backup, or delete the session; `agent verify` checks all of them")
}

// unread is the error of an object that is there and was not read: too large to
// be read at all, or not as it was written, which is damage of this journal and of no
// other, or for a reason that may pass.
func unread(key string, err error) error {
	switch {
	case errors.Is(err, bucket.ErrTooLarge):
		return damage(key, fmt.Sprintf("it is larger than %d MiB and cannot be read back; only an earlier version wrote such objects", bucket.MaxObject>>20))
	case errors.Is(err, bucket.ErrDamaged):
		return damage(key, "the store cannot give it back as it was written")
	}
	return bucket.Unavailable(err)
}
