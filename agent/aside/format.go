package aside

import (
	"encoding/json"
	"strings"

	"github.com/loongclaw/loongclaw/agent/loop"
)

// told adds to instructions what form the answer is to have. The word JSON must be
// there also for providers that hold the model to it.
func told(instructions string, f *loop.Format) string {
	if f == nil {
		return instructions
	}
	text := "Answer with one JSON object and nothing else: no words around it and no code fence."
	if len(f.Schema) > 0 {
		text += " It must match this JSON Schema, and its texts are in the language of what you are asked about:\n" + string(f.Schema)
	}
	return strings.TrimPrefix(instructions+"\n\n"+text, "\n\n")
}

// objectIn is the JSON object of an answer that may have words or a fence around it;
// an answer that holds none, or a broken one, is given as it is.
func objectIn(text string) string {
	if json.Valid([]byte(text)) {
		return strings.TrimSpace(text)
	}
	first, last := strings.IndexByte(text, '{'), strings.LastIndexByte(text, '}')
	if first < 0 || last < first {
		return text
	}
	if inner := text[first : last+1]; json.Valid([]byte(inner)) {
		return inner
	}
	return text
}
