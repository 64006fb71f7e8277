package langchain

// plain is an event as nearly all of a stream are: a piece of text, and nothing that
// says more. It is read in one pass. What is not surely plain is left to readChunk,
// which reads everything; of a plain event it makes the same.
type plain struct {
	index     number
	content   rawText
	reasoning rawText
	thought   rawText // reasoning under its other name
}

// readPlain reads a plain event at the start of b, and returns how long it is.
func readPlain(b []byte) (p plain, n int, ok bool) {
	c := cursor{b: b}
	choices := false
	ok = c.object(func(key []byte) bool {
		switch string(key) {
		case "id", "object", "created", "model", "system_fingerprint", "service_tier", "provider", "obfuscation":
			return c.scalar()
		case "usage":
			return c.null()
		case "choices":
			if choices {
				return false // twice
			}
			choices = true
			return c.skip('[') && p.choice(&c) && c.skip(']')
		}
		return false
	})
	return p, c.at, ok && choices
}

func (p *plain) choice(c *cursor) bool {
	index, delta := false, false
	return c.object(func(key []byte) bool {
		switch string(key) {
		case "finish_reason", "native_finish_reason", "logprobs", "stop_reason", "matched_stop", "token_ids":
			return c.null()
		case "index":
			n, ok := c.small()
			ok = ok && !index
			p.index, index = number(n), true
			return ok
		case "delta":
			if delta {
				return false
			}
			delta = true
			return p.delta(c)
		}
		return false
	}) && delta
}

func (p *plain) delta(c *cursor) bool {
	var seen [3]bool
	once := func(i int, into *rawText) bool {
		again := seen[i]
		seen[i] = true
		return !again && c.text(into)
	}
	return c.object(func(key []byte) bool {
		switch string(key) {
		case "content":
			return once(0, &p.content)
		case "reasoning_content":
			return once(1, &p.reasoning)
		case "reasoning":
			return once(2, &p.thought)
		case "role":
			return c.scalar()
		case "refusal", "tool_calls", "function_call", "audio":
			return c.null()
		}
		return false
	})
}

// plainChunk is room for the chunk of a plain event: the next one takes its place.
type plainChunk struct {
	index number
	delta delta
	one   [1]choice
	chunk chunk
}

func (r *plainChunk) of(p plain) *chunk {
	r.index = p.index
	r.delta = delta{content: content{rawText: p.content}, reasoning: p.reasoning}
	if r.delta.reasoning == "" {
		r.delta.reasoning = p.thought
	}
	r.one[0] = choice{Index: &r.index, Delta: object[delta]{&r.delta}}
	r.chunk = chunk{choices: r.one[:]}
	return &r.chunk
}

// cursor reads JSON from its start on, and nothing but JSON.
type cursor struct {
	b  []byte
	at int
}

func (c *cursor) space() {
	for c.at < len(c.b) {
		switch c.b[c.at] {
		case ' ', '\t', '\n', '\r':
			c.at++
		default:
			return
		}
	}
}

// skip goes over a sign.
func (c *cursor) skip(sign byte) bool {
	c.space()
	if c.at >= len(c.b) || c.b[c.at] != sign {
		return false
	}
	c.at++
	return true
}

// object goes over an object; field goes over each value.
func (c *cursor) object(field func(key []byte) bool) bool {
	if !c.skip('{') {
		return false
	}
	for !c.skip('}') {
		key, ok := c.quoted()
		if !ok || !c.skip(':') || !field(key[1:len(key)-1]) {
			return false
		}
		if c.skip(',') {
			if c.space(); c.at < len(c.b) && c.b[c.at] == '}' {
				return false
			}
			continue
		}
		return c.skip('}')
	}
	return true
}

// quoted goes over a string, and returns it with its quotes.
func (c *cursor) quoted() ([]byte, bool) {
	if !c.skip('"') {
		return nil, false
	}
	begin := c.at - 1
	for c.at < len(c.b) {
		switch b := c.b[c.at]; {
		case b == '"':
			c.at++
			return c.b[begin:c.at], true
		case b < ' ':
			return nil, false
		case b == '\\':
			if !c.escape() {
				return nil, false
			}
		default:
			c.at++
		}
	}
	return nil, false
}

func (c *cursor) escape() bool {
	if c.at+1 >= len(c.b) {
		return false
	}
	switch c.b[c.at+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		c.at += 2
		return true
	case 'u':
		if c.at+6 > len(c.b) {
			return false
		}
		for _, h := range c.b[c.at+2 : c.at+6] {
			if h |= 0x20; (h < '0' || h > '9') && (h < 'a' || h > 'f') {
				return false
			}
		}
		c.at += 6
		return true
	}
	return false
}

// text reads a string, or null.
func (c *cursor) text(into *rawText) bool {
	if c.null() {
		return true
	}
	s, ok := c.quoted()
	return ok && into.UnmarshalJSON(s) == nil
}

func (c *cursor) null() bool {
	c.space()
	if c.at+4 > len(c.b) || string(c.b[c.at:c.at+4]) != "null" {
		return false
	}
	c.at += 4
	return true
}

// small reads a whole number that is not large.
func (c *cursor) small() (int, bool) {
	c.space()
	begin, n := c.at, 0
	for c.at < len(c.b) && c.b[c.at] >= '0' && c.b[c.at] <= '9' && c.at-begin < 12 {
		n = 10*n + int(c.b[c.at]-'0')
		c.at++
	}
	digits := c.at - begin
	return n, digits > 0 && (digits == 1 || c.b[begin] != '0')
}

// scalar goes over a string, a whole number or null.
func (c *cursor) scalar() bool {
	if c.space(); c.at < len(c.b) && c.b[c.at] == '"' {
		_, ok := c.quoted()
		return ok
	}
	if c.null() {
		return true
	}
	_, ok := c.small()
	return ok
}
