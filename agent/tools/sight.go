package tools

import (
	"slices"
	"sync"
)

// Sight is what a turn's model has before it that neither the user nor the agent
// wrote. It grows while the turn runs. The zero value, and nil, hold nothing.
type Sight struct {
	mu      sync.Mutex
	sources []string        // names of tools, each once
	links   map[string]bool // addresses that pages of this turn lead to, within their own site
}

// Saw notes that an output of a tool is in sight.
func (s *Sight) Saw(tool string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.sources, tool) {
		s.sources = append(s.sources, tool)
	}
}

// Foreign reports whether text that others may have written is in sight.
func (s *Sight) Foreign() bool { return len(s.Sources()) > 0 }

// Sources gives the tools that brought foreign text, in the order in which they did.
func (s *Sight) Sources() []string {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sources)
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
