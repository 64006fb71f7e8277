package runs

import (
	"context"
	"time"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// textEvery is how often a reader gets pieces of text at most. A model may send
// hundreds in a second, and each costs everybody on the way a write; what comes
// meanwhile is one piece then.
const textEvery = 10 * time.Millisecond

// pace bounds how often a reader gets text. What comes after a pause does not wait, nor
// does anything that comes after something else than text: the first piece least of all.
type pace struct{ next time.Time }

// early reports whether the next text may not be read yet.
func (p *pace) early() bool { return time.Until(p.next) > 0 }

// wait waits until the next text may be read, or ctx ends.
func (p *pace) wait(ctx context.Context) error {
	rest := time.Until(p.next)
	if rest <= 0 {
		return nil
	}
	t := time.NewTimer(rest)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// gave takes note of what a reader was given.
func (p *pace) gave(events []chat.Event) {
	if n := len(events); n > 0 {
		switch events[n-1].Type {
		case chat.TypeMessageChunk, chat.TypeReasoningChunk:
			p.next = time.Now().Add(textEvery)
		}
	}
}
