package loop

import "github.com/loongclaw/loongclaw/pkg/chat"

// Size is how much of a model's context messages take, in bytes of text.
func Size(messages []Message) int {
	n := 0
	for i := range messages {
		m := &messages[i]
		n += len(m.Text) + len(m.Context) + len(m.Reasoning) + len(m.Native) + attachedSize(m.Attached)
		for _, c := range m.Calls {
			n += len(c.Name) + len(c.Arguments)
		}
	}
	return n
}

// Fit leaves out the oldest turns of a conversation that is larger than room. It
// returns the end of it, from a user's message on, and never less than the last
// turn.
//
// When a conversation passes room it is cut to half of that at once, and then may
// grow again. So the beginning of what is sent stays the same for many turns, and
// a provider reads it from its cache; a window that slid with each turn would make
// every request a new one. What is cut depends on the messages alone. A summary at
// the beginning stays: it stands for what is not there.
func Fit(messages []Message, room int) []Message {
	if len(messages) > 1 && messages[0].Summary {
		rest := Fit(messages[1:], room-Size(messages[:1]))
		if len(rest) == len(messages)-1 {
			return messages
		}
		return append(messages[:1:1], rest...)
	}
	first, size := 0, 0
	for start := 0; start < len(messages); {
		end := turnEnd(messages, start)
		size += Size(messages[start:end])
		if size > room {
			for first < start && size > room/2 {
				next := turnEnd(messages, first)
				size -= Size(messages[first:next])
				first = next
			}
		}
		start = end
	}
	return messages[first:]
}

// turnEnd is where the turn that begins at start ends: at the next user's message.
func turnEnd(messages []Message, start int) int {
	for i := start + 1; i < len(messages); i++ {
		if messages[i].Role == chat.RoleUser {
			return i
		}
	}
	return len(messages)
}
