package edge

import (
	"sync"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// maxRefused bounds of how many users refusals are remembered.
const maxRefused = 1024

// refusals counts what was refused to users whose credential was right, until
// the next of their requests goes on to the agent: its pass takes the counts
// along, for the user's ledger. So nothing is sent to an agent for a refusal,
// and a stranger, who is nobody's user, leaves no trace but the log's.
type refusals struct {
	mu sync.Mutex
	by map[string]map[string]int
}

func (r *refusals) add(user string, code fault.Code) {
	if user == "" || code != fault.CodeForbidden && code != fault.CodeRateLimited {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := r.by[user]
	if counts == nil {
		if len(r.by) >= maxRefused {
			return
		}
		if r.by == nil {
			r.by = map[string]map[string]int{}
		}
		counts = map[string]int{}
		r.by[user] = counts
	}
	counts[string(code)]++
}

// take gives a user's counts, once; nil where there are none.
func (r *refusals) take(user string) map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := r.by[user]
	delete(r.by, user)
	return counts
}
