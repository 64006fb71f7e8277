package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

var codeHeading = regexp.MustCompile("(?m)^### (`[a-z_]+` \\(\\d+\\))$")

func codesWithStatus() []string {
	var out []string
	for _, c := range fault.Codes() {
		out = append(out, fmt.Sprintf("`%s` (%d)", c, c.Status()))
	}
	return out
}

func TestEveryCodeHasCauseAndFix(t *testing.T) {
	for page, words := range map[string][2]string{
		"docs/TROUBLESHOOTING.md":       {"\nCause: ", "\nFix: "},
		"docs/zh-CN/TROUBLESHOOTING.md": {"\n原因：", "\n处理："},
	} {
		t.Run(page, func(t *testing.T) {
			text := source(t, page)
			at := codeHeading.FindAllStringSubmatchIndex(text, -1)
			var names []string
			for i, m := range at {
				name, end := text[m[2]:m[3]], len(text)
				names = append(names, name)
				if i+1 < len(at) {
					end = at[i+1][0]
				}
				for _, w := range words {
					if !strings.Contains(text[m[1]:end], w) {
						t.Errorf("%s has no line %q", name, strings.TrimSpace(w))
					}
				}
			}
			sameSet(t, "code", codesWithStatus(), names)
		})
	}
}

func TestEveryCodeIsInTheProtocol(t *testing.T) {
	for _, page := range []string{"docs/PROTOCOL.md", "docs/zh-CN/PROTOCOL.md"} {
		t.Run(page, func(t *testing.T) {
			var names []string
			for _, r := range rows(source(t, page), regexp.MustCompile("^`[a-z_]+`$")) {
				if len(r) == 3 && regexp.MustCompile(`^\d{3}$`).MatchString(r[1]) {
					names = append(names, fmt.Sprintf("%s (%s)", r[0], r[1]))
				}
			}
			sameSet(t, "code", codesWithStatus(), names)
		})
	}
}

// workerCode finds where the Worker's modules make an error of their own, beside
// those that Go words for them.
var workerCode = regexp.MustCompile(`\bcode: "([a-z_]+)"|\b(?:refuse|fail|problem)\(\d{3}, "([a-z_]+)"`)

// The egress proxy speaks to the agent, which words their errors for people; this is the
// one code of its own that is no fault's.
const proxysOwn = "web_refused"

func TestEveryCodeOfTheWorkersIsAFaults(t *testing.T) {
	found := 0
	for _, pattern := range []string{"wrangler/*.mjs", "wrangler/*/*.mjs"} {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if dir := filepath.Base(filepath.Dir(name)); dir == "test" || dir == "build" {
				continue
			}
			b, err := os.ReadFile(name) //nolint:gosec // a file of the repository
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range workerCode.FindAllStringSubmatch(string(b), -1) {
				found++
				code := m[1] + m[2]
				own := strings.Contains(name, "egress") && code == proxysOwn
				if !own && !slices.Contains(fault.Codes(), fault.Code(code)) {
					t.Errorf("%s answers with the code %s, which no page explains", name, code)
				}
			}
		}
	}
	if found < 4 {
		t.Errorf("found %d codes, so this test has lost its source", found)
	}
}
