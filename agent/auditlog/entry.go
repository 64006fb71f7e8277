package auditlog

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/plain"
)

// Entry is one line of a user's audit log. It outlives the session that it speaks
// of, so it holds no arguments and no output; of a call that was asked for it has
// the scope that the user saw.
type Entry struct {
	What Kind      `json:"what"`
	At   chat.Time `json:"at"` // when it happened, not when it was written here

	// Of a session's record: where that record stands. This names the entry, too:
	// a second one with the same place is the same.
	Session   string `json:"session,omitempty"`
	Epoch     uint64 `json:"epoch,omitempty"`
	Seq       uint64 `json:"seq,omitempty"`
	RunID     string `json:"runId,omitempty"`
	RequestID string `json:"requestId,omitempty"` // of the message that the run answers

	CallID   string `json:"callId,omitempty"`
	Tool     string `json:"tool,omitempty"`
	Status   string `json:"status,omitempty"`   // of a call: ok, error, denied, skipped; of a server: set, removed, approved, changed; of a skill: approved
	Scope    string `json:"scope,omitempty"`    // of a decision: what it was about; of a server and a skill: the hash of what was approved
	Decision string `json:"decision,omitempty"` // a chat.Decide… constant
	Expired  bool   `json:"expired,omitempty"`  // nobody decided in time

	Finish string `json:"finish,omitempty"` // of an answer: how it ended
	Model  string `json:"model,omitempty"`  // and who gave it

	Via   string `json:"via,omitempty"`   // of a sign-in: the way in, and which credential
	Code  string `json:"code,omitempty"`  // of refusals: why
	Count int    `json:"count,omitempty"` // and how many
}

// Kind is what an entry is about.
type Kind string

// The kinds of entries.
const (
	Call    Kind = "tool_call" // a call came to its end, or was denied
	Decided Kind = "approval"  // the user decided, or the question expired
	Answer  Kind = "answer"    // an answer was cut off, empty, filtered or refused
	SignIn  Kind = "sign_in"   // a credential was used for the first time in a day
	Refused Kind = "refused"   // the gateway refused requests of this user
	Server  Kind = "mcp"       // a server of tools was set up, removed, approved, or has changed
	Skill   Kind = "skill"     // a skill was approved
)

// RecordType is the type of the records in which a user's journal keeps entries.
const RecordType = "ledger"

// maxScope bounds the scope of an entry, in bytes: a command may be long.
const maxScope = 512

// Records returns the records of entries.
func Records(entries []Entry) []record.Record {
	records := make([]record.Record, 0, len(entries)+1)
	for _, e := range entries {
		if len(e.Scope) > maxScope {
			e.Scope = plain.Cut(e.Scope, maxScope) + "…"
		}
		records = append(records, record.New(RecordType, e))
	}
	return records
}

// Parse reads an entry out of the body of its record.
func Parse(body json.RawMessage) (Entry, error) {
	var e Entry
	err := json.Unmarshal(body, &e)
	return e, err
}

// Sort puts entries in the order of their times.
func Sort(entries []Entry) {
	slices.SortStableFunc(entries, func(a, b Entry) int {
		return cmp.Or(a.At.Compare(b.At.Time), cmp.Compare(a.Session, b.Session), cmp.Compare(a.Seq, b.Seq))
	})
}
