package dialect

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"
)

var (
	// plainID is what OpenAI takes, and with it everybody who checks at all but
	// Mistral.
	plainID   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)
	mistralID = regexp.MustCompile(`^[A-Za-z0-9]{9}$`)
	// Kimi's models are trained on ids of the form functions.NAME:0.
	kimiID = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,64}$`)
	// LiteLLM keeps Gemini's signature in the id: it must come back whole.
	gatewayID = regexp.MustCompile(`^(?:[A-Za-z0-9_-]{1,40}|[!-~]+__thought__[!-~]+)$`)
	// countedID is an id that the turn made of none or of one that was there.
	countedID = regexp.MustCompile(`^(.+?)(?:_[0-9]{1,4})+$`)
)

// madeID is the form of the ids that are made here. Nine letters and digits are
// the only form that everybody takes, Mistral included.
const (
	madeLength   = 9
	madeAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// ids gives calls the ids under which a provider sees them. An id depends on the
// call's own and on the calls before it, on nothing that follows.
type ids struct {
	rules *Rules
	times map[string]int  // how often a call of this id came
	used  map[string]bool // what was given out
}

func newIDs(r *Rules) *ids {
	return &ids{rules: r, times: map[string]int{}, used: map[string]bool{}}
}

// give returns the id of the next call. own says that the provider itself gave
// the id, as far as is known.
func (s *ids) give(id string, own bool) string {
	if !s.rules.Has(LegalIDs) {
		return id
	}
	n := s.times[id]
	s.times[id]++
	if n > 0 || s.used[id] || !s.takes(id, own) {
		id = s.make(id, n)
	}
	s.used[id] = true
	return id
}

func (s *ids) takes(id string, own bool) bool {
	if !s.rules.ID.MatchString(id) {
		return false
	}
	if !s.rules.OwnIDs || mistralID.MatchString(id) {
		return true
	}
	return own && !s.counted(id)
}

// counted reports whether the turn made the id, and not the provider.
func (s *ids) counted(id string) bool {
	m := countedID.FindStringSubmatch(id)
	return m != nil && (m[1] == "call" || s.times[m[1]] > 0)
}

func (s *ids) make(id string, n int) string {
	for salt := 0; ; salt++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%q %d %d", id, n, salt))
		var b strings.Builder
		for _, c := range sum[:madeLength] {
			b.WriteByte(madeAlphabet[int(c)%len(madeAlphabet)])
		}
		if !s.used[b.String()] && s.times[b.String()] == 0 {
			return b.String()
		}
	}
}

var legalName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)

// unknownTool stands for a name of which nothing can be kept.
const unknownTool = "unknown_tool"

// name makes a tool's name one that every provider takes. A model that made up a
// name is told so by its result; the provider need not know.
func (r *Rules) name(s string) string {
	if legalName.MatchString(s) || !r.Has(LegalNames) {
		return s
	}
	var b strings.Builder
	letters, gap := false, false
	for _, c := range s {
		if c < 0x80 && (c == '_' || c == '-' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z') {
			if gap && letters {
				b.WriteByte('_')
			}
			b.WriteRune(c)
			letters, gap = true, false
			continue
		}
		gap = true
	}
	s = b.String()
	if s == "" {
		return unknownTool
	}
	if c := s[0]; c == '-' || c >= '0' && c <= '9' {
		s = "_" + s
	}
	return s[:min(len(s), 64)]
}
