package dialect

import (
	"strings"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Told is a conversation whose calls and results are told in words. It is for a
// question with which no tool is declared: a model that still calls although it
// must not has then nothing left to call, and no provider sees a call of no tool.
func Told(messages []loop.Message) []loop.Message {
	out := make([]loop.Message, 0, len(messages))
	for i := range messages {
		m := messages[i]
		switch {
		case m.Role == loop.RoleTool:
			text := m.Text
			if blank(text) {
				text = noOutput
			}
			m = loop.Message{Role: chat.RoleUser, Context: byAgent + "Result of " + m.Name + ":\n" + text}
		case len(m.Calls) > 0:
			var calls []string
			for _, k := range m.Calls {
				calls = append(calls, strings.TrimSpace(k.Name+" "+string(k.Arguments)))
			}
			m.Text = join(m.Text, "Called: "+strings.Join(calls, "; "))
			m.Calls, m.Native = nil, nil // what its provider added was of the calls
		}
		out = append(out, m)
	}
	return out
}

// ToldChoice is a question that tells the model in words what it must call. It is for
// providers that cannot be held to it, and those that refuse to be. The words stand at
// the end: all before them stays what it was.
func ToldChoice(q loop.Question) loop.Question {
	said := ""
	switch q.Choice.Kind {
	case loop.ChooseAny:
		said = "Answer with a call of one of the tools, and with nothing else."
	case loop.ChooseOne:
		said = "Answer with a call of the tool " + q.Choice.Name + ", and with nothing else."
	}
	if said != "" && !q.NoCalls {
		q.Messages = append(q.Messages[:len(q.Messages):len(q.Messages)], loop.Message{Role: chat.RoleUser, Context: byAgent + said})
	}
	q.Choice, q.OneCall = loop.Choice{}, false
	return q
}
