package journal

import (
	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Record is one thing that happened, as journals keep it.
type Record = record.Record

// newer is the error of a journal that holds a record for later readers only.
// Nothing in it is damaged.
func newer(key string) error {
	return fault.New(fault.CodeNewerVersion, "a later version of the agent has written here (object "+key+"), and this one may only read",
		"run that version again, or a later one; nothing is lost")
}
