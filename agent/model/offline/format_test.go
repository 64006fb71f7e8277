package offline

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

func TestAnObjectOfASchema(t *testing.T) {
	const said = "<user>\nwhere is the boat\n</user>"
	for schema, want := range map[string]string{
		``: `{"answer":"where is the boat"}`,
		`{"type":"object","properties":{"title":{"type":"string"}}}`:                                                 `{"title":"where is the boat"}`,
		`{"type":"object","properties":{"z":{"type":"array"},"a":{"type":"integer"},"b":{"type":"boolean"}}}`:        `{"z":[],"a":0,"b":false}`,
		`{"properties":{"kind":{"enum":["x","y"]},"c":{"const":7},"n":{"type":["string","null"]}}}`:                  `{"kind":"x","c":7,"n":"where is the boat"}`,
		`{"properties":{"o":{"properties":{"t":{"anyOf":[{"type":"string"},{"type":"null"}]}}},"r":{"$ref":"#/x"}}}`: `{"o":{"t":"where is the boat"},"r":null}`,
		`{}`: `{}`, `true`: `{}`, `{"properties":[1]}`: `{}`, `{"type":"array"}`: `[]`,
		strings.Repeat(`{"properties":{"a":`, 40) + `{}` + strings.Repeat(`}}`, 40): "",
	} {
		q := loop.Question{Messages: []loop.Message{{Role: chat.RoleUser, Text: said}}, Format: &loop.Format{Schema: json.RawMessage(schema)}}
		a, err := New(Config{Delay: -1}).Answer(t.Context(), q, func(string) {})
		if err != nil || !json.Valid([]byte(a.Text)) || want != "" && a.Text != want {
			t.Errorf("%s: got %s, %v, want %s", schema, a.Text, err, want)
		}
	}
}
