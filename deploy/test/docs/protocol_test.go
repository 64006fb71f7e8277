package docs_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
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

// routeOf is a line of a table of routes: the gateway's and the agent's begin alike.
var routeOf = regexp.MustCompile(`(?m)^\s+\{(get|post|put|patch|del), chat\.(Path\w+), (read|write|talk|open), `)

// routes returns the scopes of the routes of a table, by method and path. Those that
// are open have none.
func routes(t *testing.T, file string) map[string]string {
	t.Helper()
	methods := map[string]string{"get": "GET", "post": "POST", "put": "PUT", "patch": "PATCH", "del": "DELETE"}
	scopes := map[string]string{"read": "read", "write": "chat", "talk": "chat", "open": "–"}
	paths := constants(t, "paths.go", "Path")
	out := map[string]string{}
	for _, m := range routeOf.FindAllStringSubmatch(source(t, file), -1) {
		out[methods[m[1]]+" "+written(paths[m[2]])] = scopes[m[3]]
	}
	if len(out) < 25 {
		t.Fatalf("found %d routes in %s, so this test has lost its source", len(out), file)
	}
	return out
}

const agentRoutes, gatewayRoutes = "agent/httpapi/routes.go", "gateway/edge/routes.go"

// served is every method and path that answers something: the agent's routes
// and the gateway's own.
func served(t *testing.T) []string {
	t.Helper()
	return append(slices.Collect(maps.Keys(routes(t, agentRoutes))), "POST "+chat.PathLogin, "GET "+chat.PathSocket, "POST "+chat.PathTickets, "POST "+chat.PathLogout)
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

// The agent's table has the scopes that the page says, and the gateway forwards
// exactly what it has, with the same ones.
func TestScopesAreTheCodes(t *testing.T) {
	agent, gateway := routes(t, agentRoutes), routes(t, gatewayRoutes)
	for _, page := range []string{"docs/PROTOCOL.md", "docs/zh-CN/PROTOCOL.md"} {
		scopes := documented(t, page)
		for name, scope := range agent {
			if scopes[name] != scope {
				t.Errorf("%s: %s has the scope %q, the agent %q", page, name, scopes[name], scope)
			}
		}
	}
	for name, scope := range agent {
		if forwarded, ok := gateway[name]; scope != "–" && (!ok || forwarded != scope) {
			t.Errorf("%s: the gateway has the scope %q, the agent %q", name, forwarded, scope)
		}
	}
	for name := range gateway {
		if _, ok := agent[name]; !ok {
			t.Errorf("%s is forwarded to the agent, which has no such route", name)
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
