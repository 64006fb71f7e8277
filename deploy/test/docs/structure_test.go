package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

const (
	// mostLines is how long a file may be: what is longer does two things.
	mostLines = 450
	// mostMethods is how many methods a type may have that others call, and mostOwn
	// how many in all: what has more is a knot of several.
	mostMethods = 45
	mostOwn     = 80
)

func TestFilesAndTypesStaySmall(t *testing.T) {
	widest, longest := 0, 0
	for _, module := range []string{"agent", "gateway", "pkg", "telemetry", "deploy"} {
		methods, own := map[string]int{}, map[string]int{}
		for _, path := range goFiles(t, module) {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, filepath.Join(root, path), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			lines := fset.File(f.Pos()).LineCount()
			if longest = max(longest, lines); lines > mostLines {
				t.Errorf("%s has %d lines, more than %d", path, lines, mostLines)
			}
			for _, decl := range f.Decls {
				if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv != nil && len(fn.Recv.List) == 1 {
					name := filepath.Dir(path) + "." + receiver(fn.Recv.List[0].Type)
					own[name]++
					if fn.Name.IsExported() {
						methods[name]++
					}
				}
			}
		}
		for name, n := range methods {
			if widest = max(widest, n); n > mostMethods {
				t.Errorf("%s has %d methods for others, more than %d", name, n, mostMethods)
			}
		}
		for name, n := range own {
			if n > mostOwn {
				t.Errorf("%s has %d methods, more than %d", name, n, mostOwn)
			}
		}
	}
	t.Logf("the longest file has %d lines, the widest type %d methods for others", longest, widest)
}

// receiver returns the name of the type that a method belongs to.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return "?"
}
