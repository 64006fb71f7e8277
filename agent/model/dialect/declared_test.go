package dialect

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/loongclaw/loongclaw/agent/loop"
)

// TestDeclarationsAreRemembered: a tool is written once, and as what it is now.
func TestDeclarationsAreRemembered(t *testing.T) {
	var d declarations
	s := loop.Spec{Name: "a", Description: "b \"c\"", Parameters: json.RawMessage("{ \"type\" : \"object\" }")}
	const want = `{"type":"function","function":{"name":"a","description":"b \"c\"","parameters":{"type":"object"}}}`
	for range 2 {
		if got := string(d.of(&s)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { d.of(&s) }); n > 0 {
		t.Errorf("a known tool takes %v allocations", n)
	}
	for i, other := range []loop.Spec{{Name: "A", Description: s.Description, Parameters: s.Parameters}, {Name: "a", Description: "b", Parameters: s.Parameters}, {Name: "a", Description: s.Description}} {
		if got := string(d.of(&other)); got == want {
			t.Errorf("%d: another tool is declared as the first", i)
		}
	}
	for i := range 2 * maxDeclared {
		d.of(&loop.Spec{Name: fmt.Sprint(i)})
		if len(d.all) > maxDeclared {
			t.Fatalf("%d tools are remembered", len(d.all))
		}
	}
}
