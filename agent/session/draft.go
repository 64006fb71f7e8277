package session

// Say adds a piece to the answer that a run gives, and reports whether there is
// something new to show. The id becomes the message's where this is its first
// piece; see Saying.
func (s *State) Say(runID, piece, messageID string) bool {
	r := s.runs.by[runID]
	if piece == "" || r == nil || s.runs.current != runID {
		return false
	}
	g := s.growing(r, messageID)
	g.text = append(g.text, piece...)
	return true
}

// Saying reports whether an answer is being given, to which Say and Think would add.
func (s *State) Saying() bool { return s.answer != nil }

// Think adds a piece to the reasoning of the answer that a run gives, and reports
// whether there is something new to show. The id becomes the message's where this
// is the first of it; see Saying. An empty piece takes back what an attempt without
// a text has shown.
func (s *State) Think(runID, piece, messageID string) bool {
	r := s.runs.by[runID]
	if r == nil || s.runs.current != runID {
		return false
	}
	if g := s.answer; piece == "" {
		if g != nil && len(g.text) == 0 {
			s.answer = nil
		}
		return false
	}
	g := s.growing(r, messageID)
	if len(g.reasoning) <= maxShownReasoning { // one byte more says that there is more
		g.reasoning = append(g.reasoning, piece[:min(len(piece), maxShownReasoning+1)]...)
	}
	return true
}

// growing returns the answer that a run gives, a new one where it gives none.
func (s *State) growing(r *run, messageID string) *growing {
	if s.answer == nil {
		// Each stretch of answer comes after a record of its own run, so the
		// last record's number tells attempts apart, over crashes too.
		s.answer = &growing{attempt: s.Seq(), run: r.ID, message: messageID, parent: r.last}
	}
	return s.answer
}
