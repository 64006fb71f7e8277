package wire

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Text is a JSON string as the provider meant it. Go's decoder would put
// U+FFFD in the place of half a character, and providers do cut characters
// between two deltas: bytes of UTF-8 in some, UTF-16 surrogates in others. Here
// halves stay what they are (a surrogate in its three bytes), until a Joiner
// puts them together.
type Text string

// UnmarshalJSON reads a string; null and what is no string are empty.
func (t *Text) UnmarshalJSON(b []byte) error {
	*t = ""
	if len(b) >= 2 && b[0] == '"' {
		*t = Text(unquote(b[1 : len(b)-1]))
	}
	return nil
}

func unquote(b []byte) []byte {
	if bytes.IndexByte(b, '\\') < 0 {
		return JoinSurrogates(b)
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 >= len(b) {
			out = append(out, b[i])
			continue
		}
		i++
		switch b[i] {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			if i+4 < len(b) {
				if u, err := strconv.ParseUint(string(b[i+1:i+5]), 16, 16); err == nil {
					out = appendUnit(out, uint16(u))
				}
				i += 4
			}
		default: // a quote, a slash, a backslash
			out = append(out, b[i])
		}
	}
	return JoinSurrogates(out)
}

// appendUnit writes a UTF-16 unit, a lone surrogate in its three bytes.
func appendUnit(out []byte, u uint16) []byte {
	if u < 0xD800 || u > 0xDFFF {
		return utf8.AppendRune(out, rune(u))
	}
	return append(out, 0xE0|byte(u>>12), 0x80|byte(u>>6&0x3F), 0x80|byte(u&0x3F))
}

// surrogate reads one that stands at the start of b.
func surrogate(b []byte) (uint16, bool) {
	if len(b) < 3 || b[0] != 0xED || b[1] < 0xA0 || b[1] > 0xBF || b[2]&0xC0 != 0x80 {
		return 0, false
	}
	return 0xD000 | uint16(b[1]&0x3F)<<6 | uint16(b[2]&0x3F), true
}

// JoinSurrogates makes characters of pairs that stand together.
func JoinSurrogates(b []byte) []byte {
	if bytes.IndexByte(b, 0xED) < 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		hi, ok := surrogate(b[i:])
		if !ok || hi >= 0xDC00 {
			out = append(out, b[i])
			i++
			continue
		}
		lo, ok := surrogate(b[i+3:])
		if !ok || lo < 0xDC00 {
			out = append(out, b[i:i+3]...)
			i += 3
			continue
		}
		out = utf8.AppendRune(out, 0x10000+(rune(hi)-0xD800)<<10+(rune(lo)-0xDC00))
		i += 6
	}
	return out
}

// Joiner gives whole characters out of pieces that may end in half of one.
type Joiner struct{ half []byte }

// Held is how many bytes of half a character wait for the rest of it.
func (j *Joiner) Held() int { return len(j.half) }

// Add gives what of the piece, and of the half before it, is whole.
func (j *Joiner) Add(s string) string {
	if len(j.half) == 0 && utf8.ValidString(s) {
		return s
	}
	b := JoinSurrogates(append(j.half, s...))
	n := len(b) - tail(b)
	j.half = append([]byte(nil), b[n:]...)
	return strings.ToValidUTF8(string(b[:n]), "\uFFFD")
}

// Rest gives what is left at the end: half a character stays one no more.
func (j *Joiner) Rest() string {
	s := strings.ToValidUTF8(string(j.half), "\uFFFD")
	j.half = nil
	return s
}

// tail is how many bytes at the end of b may be the start of a character.
func tail(b []byte) int {
	if n := len(b); n >= 3 {
		if hi, ok := surrogate(b[n-3:]); ok && hi < 0xDC00 {
			return 3
		}
		// A high surrogate and the first bytes of the low one.
		for k := 4; k <= 5 && k <= n; k++ {
			if hi, ok := surrogate(b[n-k:]); ok && hi < 0xDC00 && b[n-k+3] == 0xED && (k == 4 || b[n-1] >= 0xB0) {
				return k
			}
		}
	}
	for k := 1; k <= 3 && k <= len(b); k++ {
		c := b[len(b)-k]
		if c < 0x80 {
			return 0
		}
		if utf8.RuneStart(c) {
			if k < 3 && c == 0xED && (k == 1 || b[len(b)-1] >= 0xA0) {
				return k // the start of a surrogate, which is no rune to utf8
			}
			if !utf8.FullRune(b[len(b)-k:]) {
				return k
			}
			return 0
		}
	}
	return 0
}

var _ json.Unmarshaler = (*Text)(nil)
