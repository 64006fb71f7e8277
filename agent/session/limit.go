package session

import (
	"slices"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/pkg/plain"
)

// KeptResult returns a tool's output as it is kept.
func KeptResult(output string) string {
	if len(output) <= loop.MaxResult {
		return output
	}
	const note = "\n[the rest was cut]"
	return plain.Cut(output, loop.MaxResult-len(note)) + note
}

// What is kept of a step that turned out too large in the form in which it is kept.
const (
	leftText  = 64 << 10
	leftArgs  = 1 << 10
	leftCalls = 256
)

// Shortened returns a step that could not be kept, as it stands behind a run that
// failed for that: enough to see what it was. Nothing runs with these arguments any more.
// The text of an answer stays as it is: clients have seen it.
func Shortened(st loop.Step) loop.Step {
	args := func(c loop.Call) loop.Call {
		if len(c.Arguments) > leftArgs {
			c.Arguments = object([]byte(plain.Cut(string(c.Arguments), leftArgs) + "…"))
		}
		c.ID, c.Name = plain.Cut(c.ID, 256), plain.Cut(c.Name, 256)
		return c
	}
	switch {
	case st.Answer != nil:
		a := *st.Answer
		a.Reasoning, a.Native, a.Incomplete = "", nil, true
		calls := slices.Clone(a.Calls[:min(leftCalls, len(a.Calls))])
		for i, c := range calls {
			calls[i] = args(c)
		}
		a.Calls = calls
		return loop.Step{Answer: &a}
	case st.Call != nil:
		c := args(*st.Call)
		return loop.Step{Call: &c}
	case st.Ask != nil:
		return loop.Step{Ask: &loop.AskStep{Call: args(st.Ask.Call), Scope: plain.Cut(st.Ask.Scope, leftText), Sources: st.Ask.Sources}}
	case st.Result != nil:
		r := *st.Result
		r.Call, r.Output = args(r.Call), plain.Cut(r.Output, leftText)
		return loop.Step{Result: &r}
	}
	return st
}

// object is args when they are a JSON object, else one that holds them as text:
// clients are promised an object.
func object(args []byte) []byte {
	if loop.IsObject(args) {
		return args
	}
	return record.Marshal(map[string]string{"invalid": string(args)})
}
