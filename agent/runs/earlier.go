package runs

import (
	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Exchange is a message and its answer that somebody else kept.
type Exchange struct{ User, Assistant string }

// adopted are the records of a conversation that began elsewhere: each exchange
// as a run that is over. last is the end of that branch.
func (m *Manager) adopted(all []Exchange) (records []journal.Record, last string) {
	for _, e := range all {
		run, asked, answered := newID("run"), newID("msg"), newID("msg")
		parent := last
		records = append(records,
			record(recMessage, messageBody{MessageID: asked, RunID: run, ParentID: &parent, Content: e.User}),
			record(recStarted, startedBody{RunID: run, ParentID: parent, Owner: m.owner()}),
			record(recAnswer, answerBody{RunID: run, MessageID: answered, ParentID: asked, Content: e.Assistant}),
			record(recFinished, finishedBody{RunID: run, Status: chat.RunDone}),
		)
		last = answered
	}
	return records, last
}
