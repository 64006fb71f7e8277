package thread

import (
	"slices"

	"github.com/loongclaw/loongclaw/agent/openai"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Match is where in a session a conversation goes on.
type Match struct {
	Message   string // the answer that the next message follows
	Whole     bool   // the client sent the branch from its beginning
	Exact     bool   // and all of it as it is
	Exchanges int    // how many are the same
	Last      bool   // nothing follows it in its session
	Greeting  bool   // what the client sent as a greeting is an answer of the branch, so its window has moved on
	bytes     int    // how much text is the same
}

const (
	// minLone is how many bytes an answer has that is known by itself, where the
	// message before it is not: clients add passages to a message, and send it
	// without them later.
	minLone = 40
	// maxShown is more than the model is ever shown of a conversation, in bytes. What
	// is missing before that makes no difference.
	maxShown = 128 << 10
	// maxCompared bounds how many exchanges are compared in one session, where very
	// many of its places look like the end of the conversation.
	maxCompared = 1 << 17
	// minStrong is how many bytes of one exchange are the same by no accident.
	minStrong = 120
)

// strong reports whether two conversations hardly share so much by accident. A
// lone greeting and its answer they do.
func (m Match) strong() bool { return m.Exchanges >= 2 || m.bytes >= minStrong }

// better reports whether m is clearly the better match of two.
func (m Match) better(o Match) bool {
	switch {
	case (m.Whole && m.Exact) != (o.Whole && o.Exact):
		return m.Whole && m.Exact
	case m.Whole != o.Whole:
		return m.Whole
	case m.Exact != o.Exact:
		return m.Exact
	case m.Last != o.Last:
		// Two conversations that began alike each get a session of their own.
		return m.Last
	}
	return m.Exchanges > o.Exchanges
}

// Locate finds where in a session, given with its whole tree, the conversation of
// a request goes on: at the end of a branch whose last exchanges are those that
// the client sent. All of these must be there, in their order and next to each
// other: where the client left one out or changed one, the model must not see
// ours.
func Locate(h chat.History, q openai.Request) (Match, bool) {
	t := treeOf(h)
	said := make([]openai.Exchange, len(q.Earlier))
	for i, e := range q.Earlier {
		said[i] = openai.Exchange{User: plain(e.User), Assistant: plain(e.Assistant)}
	}
	greeting := plain(q.Greeting)
	var best Match
	found := false
	for _, id := range slices.Backward(t.ends) { // the newest first: among equals it is the one
		if t.compared > maxCompared {
			break
		}
		if m, ok := t.match(id, said, greeting); ok && (!found || m.better(best)) {
			best, found = m, true
		}
	}
	return best, found
}

// tree is a session's messages by their ids.
type tree struct {
	nodes map[string]chat.Message
	asked map[string]bool // what something follows
	ends  []string        // answers that nothing of their own run follows, the oldest first

	read     map[string]end // by the message that it ends with
	compared int
}

// end is an exchange, and the end of the one before it.
type end struct {
	openai.Exchange
	before string
}

func treeOf(h chat.History) *tree {
	t := &tree{nodes: make(map[string]chat.Message, len(h.Messages)), asked: map[string]bool{}, read: map[string]end{}}
	goesOn := map[string]bool{}
	for _, m := range h.Messages {
		if m.Queued {
			continue // nothing was answered there
		}
		t.nodes[m.ID], t.asked[m.ParentID] = m, true
		if p, ok := t.nodes[m.ParentID]; ok && m.Role == chat.RoleAssistant && p.Role == chat.RoleAssistant && p.RunID == m.RunID {
			goesOn[p.ID] = true
		}
	}
	for _, m := range h.Messages {
		if _, ok := t.nodes[m.ID]; ok && m.Role == chat.RoleAssistant && !goesOn[m.ID] {
			t.ends = append(t.ends, m.ID)
		}
	}
	return t
}

// exchange returns the exchange that ends with a message, as a client of /v1 saw
// it, and the end of the one before it.
func (t *tree) exchange(id string) (e openai.Exchange, before string, ok bool) {
	if known, ok := t.read[id]; ok {
		return known.Exchange, known.before, true
	}
	m, ok := t.nodes[id]
	if !ok || m.Role != chat.RoleAssistant {
		return openai.Exchange{}, "", false
	}
	for ; ok && m.Role == chat.RoleAssistant; m, ok = t.nodes[m.ParentID] {
		e.Assistant = joined(m.Content, e.Assistant)
	}
	if !ok {
		return openai.Exchange{}, "", false
	}
	for ; ok && m.Role == chat.RoleUser; m, ok = t.nodes[m.ParentID] {
		e.User, before = joined(m.Content, e.User), m.ParentID
	}
	e = openai.Exchange{User: plain(e.User), Assistant: plain(e.Assistant)}
	t.read[id] = end{e, before}
	return e, before, true
}

// joined puts a stretch of text before what follows it, as the answers of /v1 do.
func joined(text, after string) string {
	if after == "" {
		return text
	}
	return text + "\n\n" + after
}

// match compares what was said with the branch that ends at a message, from the
// newest exchange back.
func (t *tree) match(last string, said []openai.Exchange, greeting string) (Match, bool) {
	m := Match{Message: last, Exact: true, Last: !t.asked[last]}
	at := last
	for i := len(said) - 1; i >= 0; i-- {
		ours, before, ok := t.exchange(at)
		if !ok && (m.Exchanges >= chat.MaxEarlier || m.bytes >= maxShown) {
			break // a session begins with the newest part of a very long conversation
		}
		t.compared++
		if !ok || !m.take(said[i], ours) {
			return Match{}, false
		}
		at = before
	}
	ours, _, more := t.exchange(at)
	m.Whole = !more
	if greeting != "" && more {
		m.Greeting = compare(greeting, ours.Assistant) != differs
	}
	if len(said) == 0 {
		// Only the last answer fits the client's window.
		return m, m.Greeting && greeting == ours.Assistant && len(greeting) >= minLone
	}
	return m, true
}

// take takes an exchange in that is the same on both sides, or says that it is not.
func (m *Match) take(theirs, ours openai.Exchange) bool {
	u, a := compare(theirs.User, ours.User), compare(theirs.Assistant, ours.Assistant)
	switch {
	case u == same && a != differs:
	case a == same && (u == cut || len(theirs.Assistant) >= minLone):
	default:
		return false
	}
	m.Exact = m.Exact && u == same && a == same
	m.Exchanges++
	m.bytes += len(theirs.Assistant)
	if u == same {
		m.bytes += len(theirs.User)
	}
	return true
}
