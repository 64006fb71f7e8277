package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/users"
)

// The bounds of an archive. An object is at most what a store takes, since it goes
// back into one.
const (
	MaxObject   = bucket.MaxObject
	MaxObjects  = 1 << 20
	maxManifest = 256 << 20
	version     = 1
	manifest    = "manifest.json"
)

// Manifest says what an archive holds.
type Manifest struct {
	Version int    `json:"version"`
	User    string `json:"user"`
	Objects int    `json:"objects"`
	Sums    []Sum  `json:"sums"` // in the order of keys
	Left    []Left `json:"left,omitempty"`
}

// Left is what an archive lacks of its user because no store could take it back.
type Left struct {
	Key  string `json:"key"`  // of the object that is too large
	Size int64  `json:"size"` // of that object
	Life string `json:"life"` // the prefix of all that was left out with it; empty when that is nothing
}

// Sum is one object of an archive.
type Sum struct {
	Key    string `json:"key"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

func sumOf(key string, body []byte) Sum {
	h := sha256.Sum256(body)
	return Sum{key, int64(len(body)), hex.EncodeToString(h[:])}
}

// parseManifest reads a manifest and checks it against itself.
func parseManifest(body []byte) (Manifest, error) {
	var m Manifest
	dec := json.NewDecoder(bytes.NewReader(body))
	if err := dec.Decode(&m); err != nil {
		return m, broken("its manifest is not readable")
	}
	if _, err := dec.Token(); err != io.EOF {
		return m, broken("something follows its manifest")
	}
	switch {
	case m.Version != version:
		return m, broken("it has version %d; this program reads version %d", m.Version, version)
	case checkUser(m.User) != nil:
		return m, broken("its manifest names no user")
	case m.Objects != len(m.Sums) || m.Objects > MaxObjects:
		return m, broken("its manifest lists %d objects and says %d", len(m.Sums), m.Objects)
	}
	last := ""
	for _, s := range m.Sums {
		if s.Key <= last {
			return m, broken("its manifest is out of order at %s", quote(s.Key))
		}
		last = s.Key
		if err := checkKey(m.User, s.Key); err != nil {
			return m, err
		}
		if s.Size < 0 || s.Size > MaxObject || len(s.SHA256) != hex.EncodedLen(sha256.Size) {
			return m, broken("its manifest is wrong about %s", quote(s.Key))
		}
	}
	return m, nil
}

// maxKey is the longest key that S3 takes.
const maxKey = 1024

// checkKey reports whether an archive of a user may hold a key. What could leave
// the user's prefix, in a store or on a disk, is no key at all.
func checkKey(user, key string) error {
	prefix := users.Prefix(user)
	if len(key) > maxKey || len(key) <= len(prefix) || key[:len(prefix)] != prefix || bucket.CheckKey(key) != nil || passing(prefix, key) {
		return broken("%s is no object of the user %s", quote(key), quote(user))
	}
	return nil
}
