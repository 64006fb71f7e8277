package langchain

import (
	"encoding/json"
	"strings"

	"github.com/loongclaw/loongclaw/agent/loop"
)

// calls joins the deltas of tool calls.
type calls struct {
	all   []*call
	index map[number]*call // the open call of each index
	last  *call
}

type call struct {
	id, name string
	args     []byte
}

// add takes a delta to the call that it continues, or begins one.
func (s *calls) add(d *callDelta) {
	id, name, args := string(d.ID), string(d.Function.Name), string(d.Function.Arguments.rawText)
	if id == "" && name == "" && args == "" {
		return // a phantom: some providers end a call with an empty delta
	}
	c := s.open(d)
	if c == nil || begins(c, id, name, args) {
		if id == "" && name == "" && c == nil && d.Index == nil {
			return // arguments of nothing
		}
		c = &call{id: id, name: name}
		s.all = append(s.all, c)
	}
	if d.Index != nil {
		if s.index == nil {
			s.index = map[number]*call{}
		}
		s.index[*d.Index] = c
	}
	s.last = c
	if c.id == "" {
		c.id = id
	}
	if c.name == "" {
		c.name = name
	}
	c.args = append(c.args, args...)
}

// open is the call that a delta may continue: by index where it has one, else
// by id, else the last.
func (s *calls) open(d *callDelta) *call {
	if d.Index != nil {
		return s.index[*d.Index]
	}
	if d.ID != "" {
		for _, c := range s.all {
			if c.id == string(d.ID) {
				return c
			}
		}
	}
	return s.last
}

// begins says that a delta which seems to continue c is another call: providers
// are known to give all calls index 0, or none an index.
func begins(c *call, id, name, args string) bool {
	switch {
	case id != "" && c.id != "" && id != c.id:
		return true
	case name != "" && c.name != "" && name != c.name:
		return true
	}
	// The same name again is either repeated on each delta or the next call to
	// the same tool: it is the next when the arguments before it are complete.
	return name != "" && c.name != "" && id == "" && args != "" && json.Valid(c.args)
}

// list gives the calls in the order in which they began.
func (s *calls) list() []loop.Call {
	var out []loop.Call
	for _, c := range s.all {
		if c.name == "" && len(c.args) == 0 {
			continue
		}
		args := strings.ToValidUTF8(string(joinSurrogates(c.args)), "\uFFFD")
		if strings.TrimSpace(args) == "" {
			args = "{}" // how providers say that there are none
		}
		out = append(out, loop.Call{ID: c.id, Name: c.name, Arguments: json.RawMessage(args)})
	}
	return out
}
