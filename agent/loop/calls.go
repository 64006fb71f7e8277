package loop

import (
	"errors"
	"fmt"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// ErrNotEnded is the error of a call whose tool was given up: it did not end when
// its time was over or its run was cancelled.
var ErrNotEnded = errors.New("it did not end")

// How many tools may be called. Rounds are bounded by MaxRounds, and a model may
// call thousands of tools in one of them.
const (
	MaxCalls     = 64  // of one answer
	MaxTurnCalls = 256 // of all answers of a turn
)

// tooMany says why a call of the newest answer does not run, "" when it may. What
// an earlier answer called beyond its own bound counts for nothing.
func tooMany(messages []Message, id string) string {
	before, at, newest := 0, -1, true
	for i := len(messages) - 1; i >= 0 && messages[i].Role != chat.RoleUser; i-- {
		calls := messages[i].Calls
		switch {
		case len(calls) == 0:
		case newest:
			newest = false
			for n, c := range calls {
				if c.ID == id {
					at = n
					break
				}
			}
		default:
			before += min(len(calls), MaxCalls)
		}
	}
	switch {
	case at >= MaxCalls:
		return fmt.Sprintf("not run: one answer may call at most %d tools; call those that are left in the next one", MaxCalls)
	case at >= 0 && before+at >= MaxTurnCalls:
		return fmt.Sprintf("not run: one turn may call at most %d tools; answer with what you know", MaxTurnCalls)
	}
	return ""
}
