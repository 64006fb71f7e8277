package native

import (
	"encoding/json"
	"testing"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// FuzzWithType: an agent's object becomes a frame that is an object with its type.
func FuzzWithType(f *testing.F) {
	for _, text := range []string{`{}`, ` {"sessionId":"熊","messages":[]}`, "{\n}", `{"type":"x"}`, ``, `[{}]`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, object []byte) {
		var fields map[string]json.RawMessage
		if json.Unmarshal(object, &fields) != nil || fields == nil {
			_ = withType(chat.TypeHistory, object) // no JSON: it only must not panic
			return
		}
		delete(fields, "type")
		var got map[string]json.RawMessage
		if err := json.Unmarshal(withType(chat.TypeHistory, object), &got); err != nil {
			t.Fatalf("%q: %v", object, err)
		}
		if _, there := got["type"]; !there || len(got) != len(fields)+1 {
			t.Errorf("%q became %v", object, got)
		}
	})
}
