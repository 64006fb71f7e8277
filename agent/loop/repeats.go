package loop

import "bytes"

// repeats notices a model that makes the same call again and again.
type repeats struct {
	last  Call
	out   string
	count int
}

// maxRepeats is how often the same call may give the same result in a row.
const maxRepeats = 4

func (r *repeats) saw(c Call, out string) {
	if c.Name == r.last.Name && bytes.Equal(c.Arguments, r.last.Arguments) && out == r.out {
		r.count++
		return
	}
	r.last, r.out, r.count = c, out, 1
}

func (r *repeats) stuck() bool { return r.count >= maxRepeats }
