package mcp

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// Names that look alike once they are put together, and names that are made to look
// like those with a hash, as whoever writes a server may choose them.
func TestNoTwoToolsShareAName(t *testing.T) {
	servers := []string{"a", "b", "a_", "_a", "a__b", "a__b__c", "a_b", "__", "_", "a-b", strings.Repeat("s", 32)}
	tools := []string{"c", "b__c", "_b__c", "b_c", "_c", "__c", "c_", "b", "", " ", "_", "b.c", "b c", "b/c", "b__é", "c\u200b", "熊", "猫", strings.Repeat("t", 64), strings.Repeat("t", 65), strings.Repeat("t", 64) + "é"}
	for range 2 { // the second time with what the first time gave as names of tools
		for _, server := range servers {
			for _, tool := range slices.Clone(tools)[:min(len(tools), 60)] {
				name := toolName(server, tool)
				for _, other := range servers {
					if rest, ok := strings.CutPrefix(name, "mcp__"+other+"__"); ok && !slices.Contains(tools, rest) {
						tools = append(tools, rest)
					}
				}
			}
		}
	}
	form := regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
	whose := map[string]string{}
	for _, server := range servers {
		for _, tool := range tools {
			name, pair := toolName(server, tool), fmt.Sprintf("%q of %q", tool, server)
			if other, taken := whose[name]; taken {
				t.Errorf("%s and %s are both %s", other, pair, name)
			}
			if whose[name] = pair; !form.MatchString(name) || !strings.HasPrefix(name, "mcp__") {
				t.Errorf("%s is %q", pair, name)
			}
		}
	}
	if got := toolName("files", "read_text_file"); got != "mcp__files__read_text_file" {
		t.Errorf("a plain name is %s", got)
	}
}

// What cannot be seen is shown, or the tool is left out: the owner approves what they
// read, and the model reads the same.
func TestNothingOfADefinitionIsHidden(t *testing.T) {
	object := map[string]any{"type": "object"}
	for name, c := range map[string]struct {
		tool    sdk.Tool
		offered bool
	}{
		"plain":                      {sdk.Tool{Name: "echo", Description: "says it again", InputSchema: object}, true},
		"tags in the description":    {sdk.Tool{Name: "echo", Description: "says\U000E0053\U000E0045\U000E004E\U000E0044 it", InputSchema: object}, true},
		"a zero width in it":         {sdk.Tool{Name: "echo", Description: "says\u200b it", InputSchema: object}, true},
		"another direction in it":    {sdk.Tool{Name: "echo", Description: "says \u202eti", InputSchema: object}, true},
		"variation selectors in it":  {sdk.Tool{Name: "echo", Description: "says\U000E0150\U000E0151 it", InputSchema: object}, true},
		"no UTF-8":                   {sdk.Tool{Name: "echo", Description: "says\xff it", InputSchema: object}, true},
		"tags in an argument's text": {sdk.Tool{Name: "echo", InputSchema: map[string]any{"type": "object", "properties": map[string]any{"a": map[string]any{"description": "x\U000E0041"}}}}, true},
		"tags in a choice":           {sdk.Tool{Name: "echo", InputSchema: map[string]any{"type": "object", "properties": map[string]any{"a": map[string]any{"enum": []any{"x\U000E0041"}}}}}, true},
		"tags in an argument's name": {sdk.Tool{Name: "echo", InputSchema: map[string]any{"type": "object", "properties": map[string]any{"a\U000E0041": object}}}, false},
		"tags in the tool's name":    {sdk.Tool{Name: "echo\U000E0041", InputSchema: object}, false},
		"a long name":                {sdk.Tool{Name: strings.Repeat("x", 1<<20), InputSchema: object}, false},
		"no object":                  {sdk.Tool{Name: "echo", InputSchema: []any{}}, false},
	} {
		defs, hash, err := understand("fake", []*sdk.Tool{&c.tool})
		if err != nil || len(defs) != 1 || len(hash) != 64 {
			t.Errorf("%s: %+v, %v", name, defs, err)
			continue
		}
		d := defs[0]
		if offered := d.Schema != nil; offered != c.offered {
			t.Errorf("%s: it is offered: %v", name, offered)
		}
		s := &server{name: "fake", state: Changed, defs: defs, pin: Pin{Seen: map[string]Seen{"was\U000E0041": {}}}}
		b, err := json.Marshal([]any{s.show(), d.Name, d.Description, d.Schema})
		if err != nil || len(b) > 8<<10 {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
		for _, r := range string(b) {
			if r >= 0xE0000 || r == 0x200b || r == 0x202e {
				t.Errorf("%s: %U is shown as it is: %s", name, r, b)
			}
		}
	}
}
