package httpapi

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

var update = flag.Bool("update", false, "write the table of routes into testdata")

// TestTheTableOfRoutes holds who may ask for what, and the fields of all bodies that
// this package has: a change to them is one that clients see.
func TestTheTableOfRoutes(t *testing.T) {
	var b strings.Builder
	needs := scopes()
	for _, r := range newRig(t).table() {
		scope, answers := needs[r.method+" "+r.path], shape(r.tells)
		delete(needs, r.method+" "+r.path)
		if scope == "" {
			scope = "-"
		}
		switch {
		case r.stream && r.tells != nil:
			answers += ", or a stream"
		case r.stream:
			answers = "a stream"
		case r.tells == nil:
			answers = "no JSON"
		case r.tag:
			answers += ", tagged"
		}
		fmt.Fprintf(&b, "%s %s\n\tscope %s\n", r.method, r.path, scope)
		if r.body != nil {
			fmt.Fprintf(&b, "\ttakes %s\n", shape(r.body))
		}
		fmt.Fprintf(&b, "\t%d %s\n", r.status, answers)
	}
	for _, r := range chat.Routes() {
		if _, left := needs[r.String()]; left && r.Forwarded() {
			t.Errorf("%v is forwarded to the agent, which has no such route", r)
		}
	}
	golden := filepath.Join("testdata", "routes.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("the routes differ (-want +got; go test -update writes them):\n%s", diff)
	}
}

// shape is a type as JSON shows it; a type of another package is its name.
func shape(t reflect.Type) string {
	switch {
	case t == nil:
		return ""
	case t.Kind() == reflect.Pointer:
		return shape(t.Elem()) + "?"
	case t.Kind() == reflect.Slice && t.Name() == "":
		return "[" + shape(t.Elem()) + "]"
	case t.Kind() == reflect.Struct && t.PkgPath() == reflect.TypeFor[route]().PkgPath():
		var all []string
		for _, f := range reflect.VisibleFields(t) {
			if name, options, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
				if options != "" {
					name += "?"
				}
				all = append(all, name+" "+shape(f.Type))
			}
		}
		return "{" + strings.Join(all, ", ") + "}"
	}
	return t.String()
}
