package users

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// What stands with the messages of a session lies with it, under the hash of its
// bytes: a file that is written anew changes nothing here, the same bytes are kept
// once, and all of it goes with that life of the session.

// AttachedKey is where bytes lie that stand with a message of one life of a session.
func AttachedKey(user, session string, epoch uint64, hash string) string {
	return lifePrefix(user, session, epoch) + "attached/" + hash
}

// IsAttached reports whether a key is that of bytes that stand with a message, and
// gives the hash that they must have.
func IsAttached(key string) (hash string, ok bool) {
	seg := strings.Split(key, "/")
	if len(seg) != 7 || seg[0] != "u" || seg[2] != "s" || seg[5] != "attached" {
		return "", false
	}
	return seg[6], true
}

// HashOf names bytes: lower-case hex of their SHA-256.
func HashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Attach keeps bytes with a life of a session. It returns when they are durable.
func (u *User) Attach(ctx context.Context, session string, epoch uint64, body []byte) error {
	_, err := u.bucket.Put(ctx, AttachedKey(u.Name, session, epoch, HashOf(body)), body)
	return bucket.Unavailable(err)
}

// Attached returns such bytes. What is not there, or is not what its hash says, is
// fault.CodeDamaged.
func (u *User) Attached(ctx context.Context, session string, epoch uint64, hash string) ([]byte, error) {
	return ReadAttached(ctx, u.bucket, u.Name, session, epoch, hash)
}

// ReadAttached is Attached for whoever checks a store.
func ReadAttached(ctx context.Context, b bucket.Bucket, user, session string, epoch uint64, hash string) ([]byte, error) {
	key := AttachedKey(user, session, epoch, hash)
	o, err := b.Get(ctx, key)
	switch {
	case errors.Is(err, bucket.ErrNotFound):
		return nil, fault.New(fault.CodeDamaged, "the object "+key+" is missing, which stands with a message", "restore it from a backup; the session goes on without it")
	case errors.Is(err, bucket.ErrDamaged):
		return nil, fault.Wrap(err, fault.CodeDamaged, "the object "+key+" is damaged, which stands with a message", "restore it from a backup; the session goes on without it")
	case err != nil:
		return nil, bucket.Unavailable(err)
	case HashOf(o.Body) != hash:
		return nil, fault.New(fault.CodeDamaged, "the object "+key+" is not what its name says, which stands with a message", "restore it from a backup; the session goes on without it")
	}
	return o.Body, nil
}
