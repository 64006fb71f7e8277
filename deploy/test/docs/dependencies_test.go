package docs_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var required = regexp.MustCompile(`(?m)^(?:require )?\s*([a-z][\w.-]*\.[a-z]+/\S+) (v\S+)(?: // indirect)?$`)

// free are the licences of what is part of a program: each lets it be given on
// under ours.
var free = []string{"MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "0BSD", "(MPL-2.0 OR Apache-2.0)"}

// Every dependency of the go.mod files and the locks is on the page, with its
// version, and none that is not.
func TestEveryDependencyIsListed(t *testing.T) {
	var code []string
	add := func(name, version string) {
		if row := name + " " + version; !slices.Contains(code, row) {
			code = append(code, row)
		}
	}
	for _, m := range []string{"pkg", "telemetry", "gateway", "agent", "deploy"} {
		for _, r := range required.FindAllStringSubmatch(source(t, m+"/go.mod"), -1) {
			if !strings.HasPrefix(r[1], "github.com/loongclaw/") {
				add(r[1], r[2])
			}
		}
	}
	if len(code) < 50 {
		t.Fatalf("found %d modules, so this test has lost its source", len(code))
	}
	for _, dir := range []string{"gateway/webchat", "wrangler"} {
		var lock struct {
			Packages map[string]struct{ Version string }
		}
		if err := json.Unmarshal([]byte(source(t, dir+"/package-lock.json")), &lock); err != nil {
			t.Fatal(err)
		}
		for path, p := range lock.Packages {
			if at := strings.LastIndex(path, "node_modules/"); at >= 0 {
				add(path[at+len("node_modules/"):], p.Version)
			}
		}
	}
	var page []string
	for _, r := range rows(source(t, "docs/DEPENDENCIES.md"), regexp.MustCompile("^`.+`$")) {
		row := strings.Trim(r[0], "`") + " " + r[1]
		if !slices.Contains(page, row) { // both locks may name it
			page = append(page, row)
		}
		if r[3] == "–" {
			continue
		}
		for name := range strings.SplitSeq(r[2], ", ") {
			if !slices.Contains(free, name) {
				t.Errorf("%s is part of the %s, under %s: may it be?", row, r[3], name)
			}
		}
	}
	sameSet(t, "dependency", code, page)
	if t.Failed() {
		t.Log("Next: make dependencies")
	}
}
