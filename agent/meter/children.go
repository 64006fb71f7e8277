package meter

import (
	"maps"
	"sync"
	"sync/atomic"
)

// children finds the metric of a set of labels without hashing their text each
// time, which client_golang does: it costs more than the counting itself.
type children[K comparable, V any] struct {
	known atomic.Pointer[map[K]V]
	mu    sync.Mutex // for whoever adds one
	make  func(K) V
}

func newChildren[K comparable, V any](create func(K) V) *children[K, V] {
	c := &children[K, V]{make: create}
	c.known.Store(&map[K]V{})
	return c
}

func (c *children[K, V]) of(k K) V {
	if v, ok := (*c.known.Load())[k]; ok {
		return v
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := (*c.known.Load())[k]; ok {
		return v
	}
	more := maps.Clone(*c.known.Load())
	v := c.make(k)
	more[k] = v
	c.known.Store(&more)
	return v
}
