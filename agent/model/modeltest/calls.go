package modeltest

import "fmt"

// callDeltas are the entries of tool_calls, one for each delta.
func (a *answer) callDeltas() []string {
	p := &a.reply
	var first, rest [][]string
	for i, c := range p.Calls {
		deltas := callDelta(i, c, p.CallStyle)
		first = append(first, deltas[:1])
		rest = append(rest, deltas[1:])
	}
	var out []string
	if p.CallStyle == StyleInterleaved {
		for _, f := range first {
			out = append(out, f...)
		}
		for k := 0; ; k++ {
			n := len(out)
			for _, r := range rest {
				if k < len(r) {
					out = append(out, r[k])
				}
			}
			if len(out) == n {
				return out
			}
		}
	}
	for i := range first {
		out = append(append(out, first[i]...), rest[i]...)
	}
	return out
}

// callDelta streams one call in a style.
func callDelta(i int, c Call, style string) []string {
	args := c.arguments()
	head := func(args string) string {
		return fmt.Sprintf(`{"index":%d,"id":%s,"type":"function","function":{"name":%s,"arguments":%s}}`, i, quote(c.ID), quote(c.Name), args)
	}
	switch style {
	case StyleWhole, StyleWithText:
		return []string{head(quote(args))}
	case StyleObject:
		return []string{head(args)}
	case StyleNoIndex:
		return []string{fmt.Sprintf(`{"id":%s,"type":"function","function":{"name":%s,"arguments":%s}}`, quote(c.ID), quote(c.Name), quote(args))}
	}
	kind := ""
	if style == StyleRepeatType {
		kind = `"type":"function",`
	}
	out := []string{head(`""`)}
	for _, piece := range everyBytes(args, 5) {
		out = append(out, fmt.Sprintf(`{"index":%d,%s"function":{"arguments":%s}}`, i, kind, quote(piece)))
	}
	if style == StyleEmptyDelta {
		out = append(out, fmt.Sprintf(`{"index":%d,"function":{"arguments":""}}`, i))
	}
	return out
}
