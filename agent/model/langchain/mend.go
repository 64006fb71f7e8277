package langchain

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// mend reads the arguments of a call that are no JSON object as they stand, where
// they have exactly one sensible reading. It takes away what stands around them (a
// code fence, marks of the model's own, quotes), and writes in JSON what is an
// object in all but the notation (a raw newline in a string, a trailing comma,
// Python's quotes and constants, a bare key). It never closes what is open, never
// leaves out a value, and never chooses between two: then it is false, and the
// model is told.
func mend(s string) (json.RawMessage, bool) {
	for range 4 { // JSON in a string in a fence, and so on
		s = strings.Trim(s, " \t\r\n\uFEFF\u200B\x00")
		switch b := []byte(s); {
		case s == "" || s == "null" || s == "None":
			return json.RawMessage("{}"), true
		case s[0] == '{' && json.Valid(b):
			return b, true
		case s[0] == '"' && json.Valid(b):
			var inner string
			_ = json.Unmarshal(b, &inner) // it is a string
			s = inner
			continue
		case s[0] == '[' && json.Valid(b):
			var all []json.RawMessage
			_ = json.Unmarshal(b, &all) // it is a list
			if len(all) == 1 && all[0][0] == '{' {
				return all[0], true
			}
			return nil, false
		}
		if inner, ok := unfenced(s); ok {
			s = inner
			continue
		}
		if lead := leadingMarks.FindString(s); lead != "" {
			s = s[len(lead):]
			continue
		}
		if strings.HasPrefix(s, `{\"`) { // as it stands in a string whose quotes were lost
			var inner string
			if json.Unmarshal([]byte(`"`+s+`"`), &inner) == nil {
				s = inner
				continue
			}
		}
		if s[0] != '{' {
			return nil, false
		}
		p := looseParser{in: s}
		if !p.value(0) || !trailingMarks.MatchString(s[p.at:]) || !json.Valid(p.out.Bytes()) {
			return nil, false
		}
		return p.out.Bytes(), true
	}
	return nil, false
}

var (
	fence         = regexp.MustCompile("(?s)^```[A-Za-z]*[ \t]*\r?\n?(.*?)\r?\n?```\\s*$")
	leadingMarks  = regexp.MustCompile(`^(?:</?[\w:-]{1,40}>|<[|｜][^<>\n]{1,40}[|｜]>)\s*`)
	trailingMarks = regexp.MustCompile("^(?:[\\s;,.`)}\\]]|</?[\\w:-]{1,40}>|<[|｜][^<>\\n]{1,40}[|｜]>)*$")
)

// unfenced is what stands in a code fence that is all of s.
func unfenced(s string) (string, bool) {
	m := fence.FindStringSubmatch(s)
	if m == nil || strings.Contains(m[1], "```") && !strings.HasPrefix(m[1], "{") {
		return "", false
	}
	return m[1], true
}

// looseParser writes JSON out of a notation that is close to it.
type looseParser struct {
	in  string
	at  int
	out bytes.Buffer
}

// maxNesting is how deep arguments may be nested.
const maxNesting = 200

func (p *looseParser) blank() {
	for p.at < len(p.in) && strings.IndexByte(" \t\r\n", p.in[p.at]) >= 0 {
		p.at++
	}
}

func (p *looseParser) peek() byte {
	p.blank()
	if p.at < len(p.in) {
		return p.in[p.at]
	}
	return 0
}

// value reads one value.
func (p *looseParser) value(depth int) bool {
	if depth > maxNesting {
		return false
	}
	switch c := p.peek(); c {
	case '{':
		return p.members('}', func() bool {
			return p.key() && p.take(':') && p.value(depth+1)
		})
	case '[':
		return p.members(']', func() bool { return p.value(depth + 1) })
	case '"', '\'':
		return p.text(c)
	}
	return p.word()
}

// members reads what stands in an object or a list, a comma at the end included.
func (p *looseParser) members(end byte, one func() bool) bool {
	p.out.WriteByte(p.in[p.at])
	p.at++
	for n := 0; ; n++ {
		if p.peek() == end {
			p.at++
			p.out.WriteByte(end)
			return true
		}
		if n > 0 {
			p.out.WriteByte(',')
		}
		if !one() {
			return false
		}
		switch p.peek() {
		case ',':
			p.at++
		case end:
		default:
			return false
		}
	}
}

func (p *looseParser) take(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.at++
	p.out.WriteByte(c)
	return true
}

var (
	bareKey = regexp.MustCompile(`^[A-Za-z_$][\w$]*`)
	numeral = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?`)
	letters = regexp.MustCompile(`^[A-Za-z]+`)
)

func (p *looseParser) key() bool {
	if c := p.peek(); c == '"' || c == '\'' {
		return p.text(c)
	}
	name := bareKey.FindString(p.in[p.at:])
	if name == "" {
		return false
	}
	p.at += len(name)
	p.out.WriteString(`"` + name + `"`)
	return true
}

// word reads a number or a constant, in JSON's writing or Python's.
func (p *looseParser) word() bool {
	p.blank()
	s := numeral.FindString(p.in[p.at:])
	out := s
	if s == "" {
		s = letters.FindString(p.in[p.at:])
		switch s {
		case "true", "True":
			out = "true"
		case "false", "False":
			out = "false"
		case "null", "None":
			out = "null"
		default:
			return false
		}
	}
	p.at += len(s)
	p.out.WriteString(out)
	return true
}

// text reads a string. A backslash before a letter that means nothing in JSON is
// one that the model meant; beside one that does mean something there are two
// readings (a path of Windows may have both), so there is none.
func (p *looseParser) text(quote byte) bool {
	p.at++
	p.out.WriteByte('"')
	meant, plain := false, false
	for p.at < len(p.in) {
		c := p.in[p.at]
		p.at++
		switch {
		case c == quote:
			p.out.WriteByte('"')
			return !meant || !plain
		case c == '"':
			p.out.WriteString(`\"`)
		case c < 0x20:
			p.out.WriteString(escaped(c))
		case c != '\\':
			p.out.WriteByte(c)
		case p.at >= len(p.in):
			return false
		default:
			e := p.in[p.at]
			p.at++
			switch {
			case e == '\'':
				p.out.WriteByte('\'')
			case e == '"' || e == '\\' || e == '/':
				p.out.WriteByte('\\')
				p.out.WriteByte(e)
			case strings.IndexByte("bfnrt", e) >= 0 || e == 'u' && hex4.MatchString(p.in[p.at:]):
				plain = true
				p.out.WriteByte('\\')
				p.out.WriteByte(e)
			case e < 0x20 || e == 'x' || quote == '\'' && (e >= '0' && e <= '7' || e == 'N' || e == 'U' || e == 'a' || e == 'v'):
				return false // Python has a meaning for it that JSON has no letter for
			default:
				meant = true
				p.out.WriteString(`\\`)
				p.out.WriteByte(e)
			}
		}
	}
	return false
}

var hex4 = regexp.MustCompile(`^[0-9A-Fa-f]{4}`)

// escaped is a control character as JSON writes it.
func escaped(c byte) string {
	switch c {
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return `\t`
	}
	const digits = "0123456789abcdef"
	return `\u00` + string([]byte{digits[c>>4], digits[c&15]})
}

// relax makes JSON of an event that is none for one of two reasons, neither of
// which leaves a doubt: a control character in a string, or one of the numbers
// that JSON has no word for.
func relax(b []byte) ([]byte, bool) {
	out := make([]byte, 0, len(b)+16)
	quoted := false
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case quoted && c == '\\' && i+1 < len(b) && b[i+1] >= 0x20:
			out = append(out, c, b[i+1])
			i++
			continue
		case quoted && c < 0x20:
			out = append(out, escaped(c)...)
			continue
		case c == '"':
			quoted = !quoted
		case !quoted && (c == 'N' || c == 'I' || c == '-'):
			if m := notNumbers.Find(b[i:]); m != nil {
				out = append(out, "null"...)
				i += len(m) - 1
				continue
			}
		}
		out = append(out, c)
	}
	return out, json.Valid(out)
}

var notNumbers = regexp.MustCompile(`^(?:NaN|-?Infinity)\b`)
