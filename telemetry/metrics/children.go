package metrics

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Children finds the metric of a set of labels without hashing their text each
// time, which client_golang does: it costs more than the counting itself.
type Children[K comparable, V any] struct {
	known atomic.Pointer[map[K]V]
	mu    sync.Mutex // for whoever adds one
	make  func(K) V
}

// NewChildren returns none yet; create makes one when it is first asked for.
func NewChildren[K comparable, V any](create func(K) V) *Children[K, V] {
	c := &Children[K, V]{make: create}
	c.known.Store(&map[K]V{})
	return c
}

// Of returns the metric of a set of labels.
func (c *Children[K, V]) Of(k K) V {
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
