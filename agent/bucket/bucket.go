package bucket

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Bucket stores objects under keys: "/"-separated segments of the characters
// a-z 0-9 A-Z . _ - and no empty, "." or ".." segment. It is what S3 with
// conditional writes gives, and no more. An object larger than MaxObject is
// refused with ErrTooLarge before anything of it is written.
type Bucket interface {
	// Get reads an object. ErrNotFound where there is none.
	Get(ctx context.Context, key string) (Object, error)
	// Put writes an object, whatever was there.
	Put(ctx context.Context, key string, body []byte) (etag string, err error)
	// Create writes an object where none is, else ErrExists. When it returns
	// nil the object is durable; with ErrExists the one that stands there is.
	Create(ctx context.Context, key string, body []byte) (etag string, err error)
	// Replace writes an object whose ETag is still etag, else ErrChanged.
	Replace(ctx context.Context, key string, body []byte, etag string) (newETag string, err error)
	// List gives the entries whose keys start with prefix and come after
	// "after", in byte order of the keys, at most limit (0: as many as one call
	// gives); more says that others follow.
	List(ctx context.Context, prefix, after string, limit int) (entries []Entry, more bool, err error)
	// Delete removes an object; one that is not there is no error.
	Delete(ctx context.Context, key string) error
}

// Object is an object as read.
type Object struct {
	Body []byte
	ETag string
}

// Entry is an object as listed. ETag is empty where the store does not list it.
type Entry struct {
	Key      string
	Size     int64
	ETag     string
	Modified time.Time
}

// What a store answers besides success. Any other error means that the outcome
// is not known.
var (
	ErrNotFound = errors.New("bucket: no such object")
	ErrExists   = errors.New("bucket: object exists")
	ErrChanged  = errors.New("bucket: object changed since it was read")
	// ErrTooLarge: the object is larger than MaxObject. One that an earlier
	// version wrote may be there all the same; a store need not read it.
	ErrTooLarge = errors.New("bucket: the object is larger than 32 MiB")
	// ErrListing: the store lists in a way in which no journal can be read.
	ErrListing = errors.New("a journal that is read from such a list would look damaged")
	// ErrNotDurable: the object can be read, and may be gone after a power loss.
	// Writing it again settles that.
	ErrNotDurable = errors.New("bucket: the object is not durable yet")
	// ErrDamaged: what the store holds is not what was written.
	ErrDamaged = errors.New("bucket: what is stored is damaged")
)

// MaxObject is the largest object, in bytes. It is one number for all stores and
// for writing as well as for reading: an object that one store takes and another
// does not give back would be lost by being moved. wrangler/egress/r2.mjs and the
// archive have the same.
const MaxObject = 32 << 20

// CheckPage refuses a page of a list whose entries do not come after a key, in byte
// order, below a prefix, and says what is wrong.
func CheckPage(entries []Entry, prefix, after string) error {
	for i, e := range entries {
		switch {
		case !strings.HasPrefix(e.Key, prefix):
			return fmt.Errorf("the store lists what does not begin with the prefix: %w", ErrListing)
		case i == 0 && e.Key == after:
			return fmt.Errorf("the store lists the key again that the list is to come after (StartAfter): %w", ErrListing)
		case i == 0 && e.Key < after:
			return fmt.Errorf("the store does not keep StartAfter, it lists what comes before: %w", ErrListing)
		case i > 0 && e.Key <= entries[i-1].Key:
			return fmt.Errorf("the store does not list in byte order of the keys: %w", ErrListing)
		}
	}
	return nil
}

// CheckSize refuses what is too large to be written.
func CheckSize(body []byte) error {
	if len(body) > MaxObject {
		return ErrTooLarge
	}
	return nil
}
