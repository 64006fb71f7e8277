package wire

import "time"

// readEvery is how often a stream is read at most while text comes from it. A model
// may send a hundred pieces in a second, and each costs everybody on the way to its
// reader a wake and a write; what comes meanwhile is read at once. It is about the
// time that a screen takes to show something new.
const readEvery = 20 * time.Millisecond

// burst is how much one read may bring before the next does not wait: whoever sends so
// much must not be kept from it.
const burst = 2 << 10

// Pace bounds how often a stream is read. What comes after a pause does not wait, nor
// does anything before the first text, which least of all may. All streams wait for the
// same ticks of the clock: what wakes together costs less than what wakes one by one,
// since a process that sleeps in between is woken by the kernel each time.
type Pace struct {
	next time.Time // when the stream may be read again
	much bool      // the last read was a burst
}

// Gave says that text was given on.
func (p *Pace) Gave() { p.next = time.Now().Truncate(readEvery).Add(readEvery) }

// Read says how much a read has brought.
func (p *Pace) Read(n int) { p.much = n >= burst }

// Wait waits until the stream may be read.
func (p *Pace) Wait() {
	if !p.much && !p.next.IsZero() {
		time.Sleep(time.Until(p.next))
	}
}
