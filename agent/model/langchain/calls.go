package langchain

import (
	"bytes"
	"slices"
	"strings"

	"github.com/loongclaw/loongclaw/agent/loop"
)

// calls joins the deltas of tool calls. Providers disagree about everything in
// them: the index may be missing, always 0, or another in each delta; the id
// missing, the same for all, or another in each delta; the name repeated or in
// pieces; arguments in pieces, repeated, or all at once. A delta is given to the
// call that it can only belong to; where it may belong to several, all of these
// are in doubt, and a call in doubt is refused and never run.
type calls struct {
	tools   declared
	all     []*call
	index   map[number]*call // the newest call at each index
	guessed map[number]bool  // no name came at this index
	size    int
}

type call struct {
	id, name string
	indexed  bool
	args     []byte // arguments as they came
	cuts     []int  // where each piece of them ends
	scan     scan
	extra    fields
	doubt    bool
	rival    *call // of which these arguments were, if it gets none of its own
}

// maxCuts is how many pieces of a call's arguments are told apart. Pieces that
// repeat something are few.
const maxCuts = 4096

func (c *call) add(args string) {
	if args == "" {
		return
	}
	c.args = append(c.args, args...)
	if len(c.cuts) <= maxCuts {
		c.cuts = append(c.cuts, len(c.args))
	}
	if strings.TrimSpace(args) != "" && !c.scan.whole() {
		c.scan.feed([]byte(args))
	}
}

// blank reports whether no arguments have come.
func (c *call) blank() bool { return len(bytes.TrimSpace(c.args)) == 0 }

// parts are the arguments in their pieces.
func (c *call) parts() []string {
	if len(c.cuts) > maxCuts {
		return []string{string(c.args)}
	}
	out := make([]string, len(c.cuts))
	from := 0
	for i, to := range c.cuts {
		out[i], from = string(c.args[from:to]), to
	}
	return out
}

// saidAgain reports whether args are all of the arguments once more.
func (c *call) saidAgain(args string) bool {
	return len(args) >= len(c.args)/2 && sameJSON(args, string(c.args))
}

// add takes a delta to the call that it continues, or begins one.
func (s *calls) add(d *callDelta, keep *keeper) {
	id, name, args := string(d.id), string(d.name), string(d.args.rawText)
	if id == "" && name == "" && args == "" {
		s.keep(s.known(d), d, keep) // a phantom: some providers end a call with an empty delta
		return
	}
	var c *call
	if name != "" {
		c = s.named(d, id, name, args)
	} else {
		c = s.nameless(d, id, args)
	}
	if c == nil {
		return // said before
	}
	if d.index != nil {
		if s.index == nil {
			s.index, s.guessed = map[number]*call{}, map[number]bool{}
		}
		if s.index[*d.index] == nil && name == "" && c.name != "" && (id == "" || c.id != id) {
			s.guessed[*d.index] = true
		}
		s.index[*d.index] = c
		c.indexed = true
	}
	if c.id == "" {
		c.id = id
	}
	s.size += len(name) + len(args)
	c.add(args)
	s.keep(c, d, keep)
}

func (s *calls) keep(c *call, d *callDelta, keep *keeper) {
	if c != nil {
		c.extra = keep.merge(c.extra, d.extra)
	}
}

// known is the call that an index or an id is of.
func (s *calls) known(d *callDelta) *call {
	if d.index != nil {
		return s.index[*d.index]
	}
	return s.last()
}

func (s *calls) last() *call {
	if n := len(s.all); n > 0 {
		return s.all[n-1]
	}
	return nil
}

// withID is the one call with an id; nil where there is none, or several.
func (s *calls) withID(id string) *call {
	var found *call
	for _, c := range s.all {
		if id != "" && c.id == id {
			if found != nil {
				return nil
			}
			found = c
		}
	}
	return found
}

func (s *calls) begin(id, name string) *call {
	c := &call{id: id, name: name}
	s.all = append(s.all, c)
	return c
}

// nameless is the call that a delta without a name continues. It may have begun
// one only when its name can still come.
func (s *calls) nameless(d *callDelta, id, args string) *call {
	if c := s.withID(id); c != nil {
		return c
	}
	if d.index != nil && s.index[*d.index] != nil {
		return s.index[*d.index]
	}
	if args == "" {
		return s.begin(id, "") // only an id: the name comes after it
	}
	var open []*call
	for _, c := range s.all {
		if c.name != "" && !c.scan.whole() {
			open = append(open, c)
		}
	}
	switch {
	case len(open) == 1:
		return open[0]
	case len(open) > 1:
		for _, c := range open {
			c.doubt = true
		}
		return open[len(open)-1]
	}
	last := s.last()
	switch {
	case last == nil:
		return s.begin(id, "")
	case last.saidAgain(args):
		return nil // all of it once more
	case d.index == nil:
		return last
	case len(last.args) < 16 && empty(string(last.args)):
		last.doubt = true // its own arguments, or those of a call whose name is missing
		return last
	}
	return s.begin(id, "")
}

// named is the call that a delta with a name continues or begins.
func (s *calls) named(d *callDelta, id, name, args string) *call {
	c := s.withID(id)
	byID := c != nil
	if c == nil && d.index != nil {
		c = s.index[*d.index]
	}
	if c == nil && d.index == nil && id == "" {
		c = s.last()
	}
	switch {
	case c == nil:
		return s.begin(id, name)
	case c.name == "":
		c.name = name
		return c
	case d.index != nil && s.guessed[*d.index] && !byID:
		// What had come at this index went to c, and may have been this one's.
		next := s.begin(id, name)
		delete(s.guessed, *d.index)
		if c.scan.whole() {
			c.rival = next
		} else {
			c.doubt, next.doubt = true, true
		}
		return next
	case name == c.name:
		if s.again(c, d, id, args, byID) {
			return c
		}
		return s.begin(id, name)
	}
	if len(c.args) == 0 {
		switch {
		case s.tools.has(c.name + name):
			c.name += name
			return c
		case strings.HasPrefix(name, c.name) && !s.tools.has(c.name):
			c.name = name // the name so far, each time
			return c
		case byID && !s.tools.has(name) && !s.tools.has(c.name):
			c.name += name
			return c
		}
	}
	return s.begin(id, name)
}

// again reports whether a delta with the name of c continues it, and is not the
// next call to the same tool.
func (s *calls) again(c *call, d *callDelta, id, args string, byID bool) bool {
	started := !c.blank()
	open := started && !c.scan.whole()
	switch {
	case byID && d.index != nil && c.indexed && s.index[*d.index] != c:
		return open // one id for all calls, unless this one is not complete
	case byID:
		return true
	case id != "" && c.id != "" && id != c.id:
		return open || !started
	case d.index == nil:
		return args == "" || !c.scan.whole()
	}
	return true // what comes of it, one call or several, the arguments tell
}

// unclear are the arguments of a call in doubt: no object, so that it is never
// run, and words that tell the model why.
const unclear = "unclear: these may be the arguments of another call of the same answer: "

// list gives the calls in the order in which they began, and the fields that their
// provider added to each. cut says that a limit ended the answer: a last call
// without arguments is then one whose arguments did not come.
func (s *calls) list(cut bool) (out []loop.Call, extras []fields) {
	s.settle()
	for _, c := range s.all {
		if c.name == "" {
			continue // never run, never sent on
		}
		args := readArguments(c.parts())
		if c.doubt || args.doubt {
			args.objects = [][]byte{quoted(unclear + string(joinSurrogates(c.args)))}
		}
		if cut && c == s.last() && c.blank() {
			args.objects = [][]byte{quoted("")}
		}
		for i, one := range args.objects {
			next := loop.Call{Name: c.name, Arguments: one}
			var extra fields
			if i == 0 {
				next.ID, extra = c.id, c.extra
			}
			out, extras = append(out, next), append(extras, extra)
		}
	}
	return out, extras
}

// settle finds the calls whose arguments may have gone to another: those without
// any, where others have too many.
func (s *calls) settle() {
	var lacking, surplus []*call
	orphans := false
	for _, c := range s.all {
		blank := c.blank()
		if c.rival != nil && c.rival.blank() {
			c.doubt, c.rival.doubt = true, true
		}
		switch {
		case c.name == "":
			orphans = orphans || !blank
		case blank:
			lacking = append(lacking, c)
		case len(c.cuts) > 1 && len(readArguments(c.parts()).objects) > 1:
			surplus = append(surplus, c)
		}
	}
	if len(lacking) == 0 || !orphans && len(surplus) == 0 {
		return
	}
	for _, c := range slices.Concat(lacking, surplus) {
		c.doubt = true
	}
}
