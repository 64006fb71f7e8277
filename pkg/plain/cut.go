package plain

import "unicode/utf8"

// Cut returns the beginning of a text, of at most so many bytes: the whole text where
// it fits, and else no half of a character.
func Cut(s string, most int) string {
	end := max(most, 0)
	if len(s) <= end {
		return s
	}
	// A character has no more bytes than that: what is not UTF-8 is cut where it is.
	for back := 0; back < utf8.UTFMax && back <= end; back++ {
		if utf8.RuneStart(s[end-back]) {
			return s[:end-back]
		}
	}
	return s[:end]
}
