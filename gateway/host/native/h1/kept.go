package h1

import (
	"slices"
	"sync"
	"time"
)

// kept are connections that wait for a request, by address, the one that was used last
// at the end. Sweeps forget those that wait for long: to ask the clock for each request
// costs more than to count sweeps.
type kept struct {
	most int           // for each address
	wait time.Duration // how long one waits at most; 0 is for ever

	mu       sync.Mutex
	by       map[string][]*conn
	sweeps   uint64
	sweeping bool // a sweep will come
}

// take returns a connection on which nothing has happened since, or nil.
func (k *kept) take(addr string) *conn {
	for {
		c := k.pop(addr)
		if c == nil || c.look.isQuiet() {
			return c
		}
		c.end()
	}
}

func (k *kept) pop(addr string) *conn {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := k.by[addr]
	if len(all) == 0 {
		return nil
	}
	c := all[len(all)-1]
	all[len(all)-1] = nil
	k.by[addr] = all[:len(all)-1]
	return c
}

// put keeps a connection, where there is room and it can be looked at.
func (k *kept) put(c *conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := k.by[c.addr]
	if c.look == nil || len(all) >= k.most {
		c.end()
		return
	}
	if k.by == nil {
		k.by = make(map[string][]*conn)
	}
	c.sweep = k.sweeps
	k.by[c.addr] = append(all, c)
	k.sweepLaterLocked()
}

func (k *kept) sweepLaterLocked() {
	if !k.sweeping && k.wait > 0 {
		k.sweeping = true
		time.AfterFunc(k.wait/2, k.sweep)
	}
}

// sweep closes what has not been used since the sweep before the last one.
func (k *kept) sweep() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sweeps++
	k.sweeping = false
	for addr, all := range k.by {
		k.by[addr] = slices.DeleteFunc(all, func(c *conn) bool {
			old := k.sweeps-c.sweep >= 2
			if old {
				c.end()
			}
			return old
		})
		if len(k.by[addr]) == 0 {
			delete(k.by, addr)
		}
	}
	if len(k.by) > 0 {
		k.sweepLaterLocked()
	}
}
