package docs_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// constants returns the string constants of a file of pkg/chat whose names start
// with a prefix: name → value.
func constants(t *testing.T, file, prefix string) map[string]string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "pkg/chat", file), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, name := range v.Names {
			if i >= len(v.Values) || !strings.HasPrefix(name.Name, prefix) {
				continue
			}
			if lit, ok := v.Values[i].(*ast.BasicLit); ok && lit.Kind == token.STRING {
				out[name.Name], _ = strconv.Unquote(lit.Value) // the parser has read it
			}
		}
		return true
	})
	if len(out) == 0 {
		t.Fatalf("%s has no constants %s…: this test has lost its source", file, prefix)
	}
	return out
}

// written is a path as a page writes it.
func written(path string) string {
	return regexp.MustCompile(`:([a-z]+)`).ReplaceAllString(path, "{$1}")
}

// served is every method and path that answers something: the agent's routes
// and the gateway's own.
func served(t *testing.T) []string {
	t.Helper()
	paths := constants(t, "paths.go", "Path")
	var out []string
	route := regexp.MustCompile(`(?m)^\s+(?:read|write)\.route\(http\.Method(Get|Post|Put|Patch|Delete), chat\.(Path\w+),`)
	for _, m := range route.FindAllStringSubmatch(source(t, "agent/httpapi/server.go"), -1) {
		out = append(out, strings.ToUpper(m[1])+" "+written(paths[m[2]]))
	}
	if len(out) < 25 {
		t.Fatalf("found %d routes of the agent, so this test has lost its source", len(out))
	}
	return append(out, "GET "+chat.PathHealth, "GET "+chat.PathReady, "POST "+chat.PathLogin, "GET "+chat.PathSocket, "POST "+chat.PathTickets, "POST "+chat.PathLogout, "GET "+chat.PathServersClient)
}

var pathCell = regexp.MustCompile("^(GET|POST|PUT|PATCH|DELETE) `(/[^`]*)`$")

func documented(t *testing.T, page string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, r := range rows(source(t, page), pathCell) {
		m := pathCell.FindStringSubmatch(r[0])
		key := m[1] + " " + m[2]
		if _, twice := out[key]; twice {
			t.Errorf("%s is on the page twice", key)
		}
		out[key] = r[1]
	}
	return out
}

func TestEveryPathIsInTheProtocol(t *testing.T) {
	for _, page := range []string{"docs/PROTOCOL.md", "docs/zh-CN/PROTOCOL.md"} {
		t.Run(page, func(t *testing.T) {
			var names []string
			for k := range documented(t, page) {
				names = append(names, k)
			}
			sameSet(t, "path", served(t), names)
		})
	}
}

// The scope of a path is the group that the agent has it in, and the gateway's
// table has the same.
func TestScopesAreTheCodes(t *testing.T) {
	paths := constants(t, "paths.go", "Path")
	agent := regexp.MustCompile(`(?m)^\s+(read|write)\.route\(http\.Method(\w+), chat\.(Path\w+),`)
	routes := agent.FindAllStringSubmatch(source(t, "agent/httpapi/server.go"), -1)
	if len(routes) < 25 {
		t.Fatalf("found %d routes of the agent, so this test has lost its source", len(routes))
	}
	methods := map[string]string{"get": "GET", "post": "POST", "put": "PUT", "patch": "PATCH", "del": "DELETE"}
	gateway := regexp.MustCompile(`(?m)^\s+\{(\w+), chat\.(Path\w+), (read|talk), limit\.`)
	found := gateway.FindAllStringSubmatch(source(t, "gateway/edge/routes.go"), -1)
	if len(found) < 25 {
		t.Fatalf("found %d routes of the gateway, so this test has lost its source", len(found))
	}
	for _, page := range []string{"docs/PROTOCOL.md", "docs/zh-CN/PROTOCOL.md"} {
		scopes := documented(t, page)
		for _, m := range routes {
			want := map[string]string{"read": "read", "write": "chat"}[m[1]]
			if got := scopes[strings.ToUpper(m[2])+" "+written(paths[m[3]])]; got != want {
				t.Errorf("%s: %s %s: scope %q, want %q", page, m[2], paths[m[3]], got, want)
			}
		}
		for _, m := range found {
			want := map[string]string{"read": "read", "talk": "chat"}[m[3]]
			if got := scopes[methods[m[1]]+" "+written(paths[m[2]])]; got != want {
				t.Errorf("%s: gateway: %s %s: scope %q, want %q", page, m[1], paths[m[2]], got, want)
			}
		}
	}
}

func TestEveryEventTypeIsInTheProtocol(t *testing.T) {
	var code []string
	for _, file := range []string{"event.go", "list.go"} {
		for _, v := range constants(t, file, "Type") {
			code = append(code, v)
		}
	}
	for _, page := range []string{"docs/PROTOCOL.md", "docs/zh-CN/PROTOCOL.md"} {
		var names []string
		text := source(t, page)
		for _, r := range rows(text, regexp.MustCompile("^`[a-z_]+`$")) {
			if len(r) == 2 {
				names = append(names, strings.Trim(r[0], "`"))
			}
		}
		t.Run(page, func(t *testing.T) { sameSet(t, "event type", code, names) })
		for name, v := range constants(t, "list.go", "State") {
			if !strings.Contains(text, "`"+v+"`") {
				t.Errorf("%s does not name %s, the value of %s", page, v, name)
			}
		}
		for _, prefix := range []string{"Run", "Tool", "Phase", "Decide"} {
			for name, v := range constants(t, "event.go", prefix) {
				if !strings.Contains(text, "`"+v+"`") {
					t.Errorf("%s does not name %s, the value of %s", page, v, name)
				}
			}
		}
	}
}

// Every example of a page is what the code reads, field by field.
func TestExamplesAreWhatTheCodeReads(t *testing.T) {
	events := constants(t, "event.go", "Type")
	frames := map[string]bool{}
	for _, page := range pages(t) {
		for _, b := range blocks(source(t, page)) {
			body := []byte(b.text)
			switch b.info {
			case "json":
				if !json.Valid(body) {
					t.Errorf("%s: not JSON: %s", page, body)
				}
			case "json event":
				var e chat.Event
				strict(t, page, body, &e)
				known := false
				for _, v := range events {
					known = known || v == e.Type
				}
				if !known || e.SessionID == "" {
					t.Errorf("%s: not an event of a session: %s", page, body)
				}
				if _, err := chat.ParseCursor(e.SessionID, e.Cursor); err != nil {
					t.Errorf("%s: %v: %s", page, err, body)
				}
			case "json frame":
				f, err := chat.ParseFrame(body)
				if err != nil {
					t.Errorf("%s: %v: %s", page, err, body)
				}
				frames[f.Type] = true
			case "json error":
				var e fault.Error
				if err := json.Unmarshal(body, &e); err != nil || !slices.Contains(fault.Codes(), e.Code) || e.Hint == "" {
					t.Errorf("%s: not an error of ours (%v): %s", page, err, body)
				}
			}
		}
	}
	for name, v := range constants(t, "frame.go", "Frame") {
		if !frames[v] {
			t.Errorf("no page has an example of the frame %s (%s)", v, name)
		}
	}
}

func strict(t *testing.T, page string, body []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Errorf("%s: %v in %s", page, err, body)
	}
}
