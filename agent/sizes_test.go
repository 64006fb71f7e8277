package agent_test

import (
	"go/ast"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a type or a file is to be at most, so that one can hold it in mind.
const (
	maxMethods = 30
	maxFields  = 22
	maxLines   = 450
)

// large are the types with a bound of their own, the number of methods that each has
// now: it is lowered with its type, and never raised.
var large = map[string]int{
	"httpapi.Server": 77, // a handler for each route
	"session.State":  54,
	"runs.open":      44,
	"users.User":     43,
	"runs.Manager":   21, // every caller would like one more
}

// manyFields are the structs with more fields than others may have.
var manyFields = map[string]int{
	"cmd/agent.environment":  44, // one for each variable
	"model/modeltest.strict": 23,
	"model/offline.words":    26, // the sentences of a language
	"tools/mcp.server":       26,
}

func TestTypesAndFilesStaySmall(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range list(t) {
		methods, fields := map[string]int{}, map[string]int{}
		for name, f := range parse(t, p.Dir) {
			text, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(text), "\n"); n > maxLines {
				t.Errorf("%s/%s has %d lines, and %d are the most", p.room(), name, n, maxLines)
			}
			for _, d := range f.Decls {
				measure(d, methods, fields)
			}
		}
		for kind, n := range methods {
			bound, own := large[p.room()+"."+kind]
			if !own {
				bound = maxMethods
			}
			seen[p.room()+"."+kind] = true
			if n > bound || own && n < bound {
				t.Errorf("%s.%s has %d methods, and its bound is %d", p.room(), kind, n, bound)
			}
		}
		for kind, n := range fields {
			bound, own := manyFields[p.room()+"."+kind]
			if !own {
				bound = maxFields
			}
			if n > bound || own && n < bound {
				t.Errorf("%s.%s has %d fields, and its bound is %d", p.room(), kind, n, bound)
			}
		}
	}
	for kind := range large {
		if !seen[kind] {
			t.Errorf("there is no %s any more", kind)
		}
	}
}

// measure counts the methods and fields that a declaration adds to types.
func measure(d ast.Decl, methods, fields map[string]int) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv != nil {
			methods[receiver(d.Recv.List[0].Type)]++
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			kind, ok := s.(*ast.TypeSpec)
			if !ok {
				continue
			}
			if st, ok := kind.Type.(*ast.StructType); ok {
				for _, f := range st.Fields.List {
					fields[kind.Name.Name] += max(len(f.Names), 1)
				}
			}
		}
	}
}

// receiver names the type that a method belongs to.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr: // a generic one
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}
