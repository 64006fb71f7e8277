package journal_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sort"
	"strings"
	"sync"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// memory is a bucket that is as fast as a property test needs.
type memory struct {
	mu      sync.Mutex
	objects map[string][]byte
}

func newMemory() *memory { return &memory{objects: map[string][]byte{}} }

func tagOf(body []byte) string {
	h := sha256.Sum256(body)
	return hex.EncodeToString(h[:8])
}

func (m *memory) Get(_ context.Context, key string) (bucket.Object, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.objects[key]
	if !ok {
		return bucket.Object{}, bucket.ErrNotFound
	}
	return bucket.Object{Body: b, ETag: tagOf(b)}, nil
}

func (m *memory) Put(_ context.Context, key string, body []byte) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.objects[key] = append([]byte(nil), body...)
	return tagOf(body), nil
}

func (m *memory) Create(ctx context.Context, key string, body []byte) (string, error) {
	if _, err := m.Get(ctx, key); err == nil {
		return "", bucket.ErrExists
	}
	return m.Put(ctx, key, body)
}

func (m *memory) Replace(ctx context.Context, key string, body []byte, etag string) (string, error) {
	if o, err := m.Get(ctx, key); err != nil || o.ETag != etag {
		return "", bucket.ErrChanged
	}
	return m.Put(ctx, key, body)
}

// List gives small pages, so that paging is seen to work.
func (m *memory) List(_ context.Context, prefix, after string, limit int) ([]bucket.Entry, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if limit <= 0 || limit > 100 {
		limit = 100
	}
	var out []bucket.Entry
	for k, b := range m.objects {
		if strings.HasPrefix(k, prefix) && k > after {
			out = append(out, bucket.Entry{Key: k, Size: int64(len(b))})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Key < out[j].Key })
	if len(out) > limit {
		return out[:limit], true, nil
	}
	return out, false, nil
}

func (m *memory) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, key)
	return nil
}

var _ bucket.Bucket = (*memory)(nil)
