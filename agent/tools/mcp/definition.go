package mcp

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/loongclaw/loongclaw/pkg/plain"
)

// The bounds of a server's definitions.
const (
	maxTools       = 2000
	maxDefinitions = 16 << 20 // bytes of all together
	maxDescription = 4 << 10  // bytes that a model and the owner see; all of it is pinned
	maxSchema      = 64 << 10 // bytes of one; a tool with a longer one is left out
	maxName        = 64       // characters of a tool's name as models take them
	maxToolName    = 256      // bytes of a server's own name for a tool; one with a longer one is left out
)

// Definition is a tool as its server defines it, and as it is shown.
type Definition struct {
	Tool        string          // the server's name for it; shownTool is for people
	Name        string          // the model's: mcp__SERVER__TOOL
	Description string          // with what cannot be seen made visible
	Schema      json.RawMessage // of its arguments, likewise; empty: the tool is left out
	text, form  string          // hashes of description and schema as they came
}

// pinned is everything of a definition that may tell a model or this agent what to
// do. What a server adds for pages and for itself (icons, _meta) is not, and may
// differ from day to day.
type pinned struct {
	Name        string               `json:"name"`
	Title       string               `json:"title,omitempty"`
	Description string               `json:"description,omitempty"`
	Input       any                  `json:"inputSchema"`
	Output      any                  `json:"outputSchema,omitempty"`
	Annotations *sdk.ToolAnnotations `json:"annotations,omitempty"`
}

// understand takes a server's list in: its tools in the order of their names, and
// the hash over the canonical JSON of all their definitions.
func understand(server string, list []*sdk.Tool) (defs []Definition, hash string, err error) {
	all := make([]any, 0, len(list))
	list = slices.SortedFunc(slices.Values(list), func(a, b *sdk.Tool) int { return cmp.Compare(a.Name, b.Name) })
	taken := map[string]bool{}
	for i, t := range list {
		if i > 0 && list[i-1].Name == t.Name {
			return nil, "", fmt.Errorf("it lists the tool %.64q twice", t.Name)
		}
		whole, err := canonical(pinned{t.Name, t.Title, t.Description, t.InputSchema, t.OutputSchema, t.Annotations})
		if err != nil {
			return nil, "", err
		}
		all = append(all, whole)
		d := define(server, t)
		if taken[d.Name] {
			d.Schema = nil
		}
		taken[d.Name] = true
		defs = append(defs, d)
	}
	b, err := json.Marshal(all)
	if err != nil {
		return nil, "", fmt.Errorf("its definitions: %w", err)
	}
	return defs, sum(b), nil
}

func define(server string, t *sdk.Tool) Definition {
	d := Definition{Tool: t.Name, Name: toolName(server, t.Name), Description: shown(t.Description, maxDescription)}
	d.text = sum([]byte(t.Title + "\x00" + t.Description))
	raw, err := json.Marshal(t.InputSchema)
	d.form = sum(raw)
	if _, at := plain.Hidden(t.Name); err != nil || len(raw) > maxSchema || at >= 0 || len(t.Name) > maxToolName {
		return d
	}
	var schema map[string]any
	if json.Unmarshal(raw, &schema) != nil || schema == nil {
		return d
	}
	if clean, ok := visible(schema); ok {
		d.Schema, _ = json.Marshal(clean) // it was JSON a moment ago
	}
	return d
}

// shownTool is a server's name for a tool as people read it.
func shownTool(name string) string { return plain.Line(clip(name, maxToolName)) }

// canonical makes a value one that json.Marshal writes in one way: keys in order.
func canonical(v any) (out any, err error) {
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	return out, err
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// otherThanName matches what models do not take in the name of a tool.
var otherThanName = regexp.MustCompile(`[^A-Za-z0-9_-]`)

// hashed matches what ends as a name with a hash does.
var hashed = regexp.MustCompile(`_[0-9a-f]{16}$`)

// toolName is a tool's name for models. Two tools never share one: where the plain
// form would be too long, or could be read as another server's or as a name with a
// hash, a hash of both names is part of it.
func toolName(server, tool string) string {
	name := "mcp__" + server + "__" + otherThanName.ReplaceAllString(tool, "_")
	plainForm := !otherThanName.MatchString(tool) && tool != "" && !strings.Contains(server, "__") && !strings.HasSuffix(server, "_") && !strings.HasPrefix(tool, "_")
	if plainForm && len(name) <= maxName && !hashed.MatchString(name) {
		return name
	}
	mark := "_" + sum([]byte(server + "\x00" + tool))[:16]
	return name[:min(len(name), maxName-len(mark))] + mark
}

// shown bounds a text of a server's and makes visible in it what cannot be seen:
// the owner approves what they read, and the model reads the same.
func shown(s string, most int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	cut := false
	if len(s) > most {
		for cut = true; most > 0 && !utf8.RuneStart(s[most]); {
			most--
		}
		s = s[:most]
	}
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = plain.Line(line)
	}
	s = strings.Join(lines, "\n")
	if cut {
		s += " [cut]"
	}
	return s
}

// visible is shown for every text of a schema. It is not ok where the name of an
// argument has something in it that cannot be seen.
func visible(v any) (clean any, ok bool) {
	switch v := v.(type) {
	case string:
		return shown(v, maxSchema), true
	case []any:
		for i := range v {
			if v[i], ok = visible(v[i]); !ok {
				return nil, false
			}
		}
	case map[string]any:
		for key, value := range v {
			if _, at := plain.Hidden(key); at >= 0 {
				return nil, false
			}
			if v[key], ok = visible(value); !ok {
				return nil, false
			}
		}
	}
	return v, true
}

// What may be different about a tool.
const (
	Added       = "added"
	Removed     = "removed"
	Description = "description"
	Schema      = "schema"
)

// Change is what is different about a tool since its server was approved.
type Change struct {
	Tool string `json:"tool"`
	What string `json:"what"`
	Was  *Tool  `json:"was,omitempty"` // as it was approved, where that is kept
}

// changes compares definitions with those that were approved. A tool of which both
// texts are different is there twice.
func changes(was map[string]Seen, now []Definition) []Change {
	var out []Change
	left := map[string]bool{}
	for name := range was {
		left[name] = true
	}
	for _, d := range now {
		old, known := was[d.Tool]
		delete(left, d.Tool)
		if !known {
			out = append(out, Change{Tool: d.Tool, What: Added})
			continue
		}
		if old.Description != d.text {
			out = append(out, Change{Tool: d.Tool, What: Description})
		}
		if old.Schema != d.form {
			out = append(out, Change{Tool: d.Tool, What: Schema})
		}
	}
	for name := range left {
		out = append(out, Change{Tool: name, What: Removed})
	}
	slices.SortFunc(out, func(a, b Change) int { return cmp.Or(cmp.Compare(a.Tool, b.Tool), cmp.Compare(a.What, b.What)) })
	return out
}
