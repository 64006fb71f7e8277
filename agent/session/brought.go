package session

// Brought reports whether a message of this life brought a file of this hash along, on
// whichever branch it stands.
func Brought(s *State, hash string) bool {
	for _, n := range s.tree.nodes {
		for _, a := range n.attached {
			if a.SHA256 == hash {
				return true
			}
		}
	}
	return false
}
