package tools

import (
	"encoding/json"
	"slices"
	"sync"
)

// Source is where an output comes from that others than the user and the agent may
// have written.
type Source struct {
	What string // an address, a file, or a tool's name; for people
	// Outside says that it came from the net, where anybody can write. What stands in
	// the user's own workspace came in with the user's knowledge.
	Outside bool
	Fenced  bool // the output says itself what it is, as web_fetch's does
}

// Remembered is the source of a memory that was saved while the model had text of
// others before it: its user has let it be saved, and it is still none of the user's
// own words.
var Remembered = Source{What: "a memory that was saved while the model read what others wrote"}

// sourced is a tool that can say more of where an output comes from than its own name.
type sourced interface {
	SourceOf(args json.RawMessage) string
}

// selfFenced is a tool whose outputs stand in a fence of their own.
type selfFenced interface {
	Fences()
}

// outside is a tool whose outputs come from the net.
type outside interface {
	Outside()
}

// maxSource bounds what is shown of a source, maxSources how many are.
const (
	maxSource  = 200
	maxSources = 16
)

// shown gives a source in one line: its text may be chosen by whoever wrote the page.
func shown(what string) string {
	line := visible(what)
	if len(line) <= maxSource {
		return line
	}
	return cut(line, maxSource) + "…"
}

// Sight is what a turn's model has before it that neither the user nor the agent
// wrote. It grows while the turn runs. The zero value, and nil, hold nothing.
type Sight struct {
	mu      sync.Mutex
	sources []Source        // each once, at most maxSources and the first from outside
	links   map[string]bool // addresses that pages of this turn lead to, within their own site
}

// Saw notes that an output from a source is in sight.
func (s *Sight) Saw(source Source) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	first := source.Outside && !slices.ContainsFunc(s.sources, func(o Source) bool { return o.Outside })
	if (len(s.sources) < maxSources || first) && !slices.Contains(s.sources, source) {
		s.sources = append(s.sources, source)
	}
}

// Foreign reports whether text that others may have written is in sight.
func (s *Sight) Foreign() bool { return len(s.Sources()) > 0 }

// Sources says where all such text comes from, in the order in which it came; nil
// is nowhere.
func (s *Sight) Sources() []string { return s.which(func(Source) bool { return true }) }

// Outside says where that of it comes from that came from the net.
func (s *Sight) Outside() []string { return s.which(func(o Source) bool { return o.Outside }) }

func (s *Sight) which(counts func(Source) bool) []string {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, o := range s.sources {
		if counts(o) {
			out = append(out, o.What)
		}
	}
	return out
}

// maxLinksInSight bounds what a turn remembers of the pages that it read.
const maxLinksInSight = 10_000

// linked notes where a page leads to within its own site.
func (s *Sight) linked(addresses []string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range addresses {
		if u, err := webAddress(a); err == nil && len(s.links) < maxLinksInSight {
			if s.links == nil {
				s.links = map[string]bool{}
			}
			s.links[pageKey(u)] = true
		}
	}
}

// leadsTo reports whether a page of this turn has a link to that very address.
func (s *Sight) leadsTo(key string) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.links[key]
}
