package tools_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/files"
	"github.com/loongclaw/loongclaw/agent/tools"
)

type foundLine struct {
	Path string
	Line int
	Text string
}

// searched runs files_search and reads what it gave: the hits and the notes.
func searched(t *testing.T, h deployment, kv ...any) (hits []foundLine, notes string) {
	t.Helper()
	out, err := h.box.Run(t.Context(), "files_search", arguments(t, kv...), h.env)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out, "[{") {
		return nil, out
	}
	list, notes, _ := strings.Cut(out, "\n")
	if err := json.Unmarshal([]byte(list), &hits); err != nil {
		t.Fatal(err)
	}
	return hits, notes
}

func (h deployment) write(t *testing.T, name, body string) {
	t.Helper()
	if err := h.alice.Write(t.Context(), name, []byte(body)); err != nil {
		t.Fatal(err)
	}
}

func TestFilesSearchFindsLines(t *testing.T) {
	h := newDeployment(t, nil)
	h.write(t, "plan/lyon.md", "# Trip\n\nWe booked the trains to Lyon.\r\nBudget: 400\n")
	h.write(t, "报告.md", "第一行\n今年的預算是四百元。\n")
	h.write(t, "long.txt", strings.Repeat("filler ", 500)+"the needle of gold "+strings.Repeat("filler ", 500)+"\n")
	h.write(t, "picture.png", "budget")
	h.write(t, "blob", "budget\x00budget")
	h.write(t, "latin1.txt", "budget \xe9t\xe9")
	for _, c := range []struct {
		query, path string
		line        int
		text        string
	}{
		{"train lyon", "plan/lyon.md", 3, "We booked the trains to Lyon."},
		{"booking", "plan/lyon.md", 3, "We booked the trains to Lyon."},
		{"BUDGET", "plan/lyon.md", 4, "Budget: 400"},
		{"预算", "报告.md", 2, "今年的預算是四百元。"},
		{"今年 预算", "报告.md", 2, "今年的預算是四百元。"},
		{"needle gold", "long.txt", 1, "the needle of gold"},
		{"牛奶", "笔记/今天.md", 1, "牛奶"},
		{"two", "data.csv", 1, "one:two:three"},
		{"picture", "picture.png", 0, ""},
	} {
		hits, notes := searched(t, h, "query", c.query)
		if len(hits) == 0 || hits[0].Path != c.path || hits[0].Line != c.line || !strings.Contains(hits[0].Text, c.text) || len(hits[0].Text) > 260 {
			t.Errorf("%q: got %+v %s", c.query, hits, notes)
		}
		if !strings.Contains(notes, "3 files that hold no text") {
			t.Errorf("%q: notes %q", c.query, notes)
		}
	}
	if hits, notes := searched(t, h, "query", "zebra"); hits != nil || !strings.HasPrefix(notes, "nothing was found") {
		t.Errorf("%v %q", hits, notes)
	}
	if hits, _ := searched(t, h, "query", "budget", "path", "notes"); hits != nil {
		t.Errorf("outside of the folder: %v", hits)
	}
	if hits, _ := searched(t, h, "query", "budget", "path", "/workspace/plan"); len(hits) != 1 {
		t.Errorf("inside of the folder: %v", hits)
	}
	if got := h.box.For("alice").Source("files_search", nil); got != (tools.Source{What: "files_search"}) || !h.box.For("alice").ReadOnly("files_search") {
		t.Error("what files say is taken for the user's own, or a search is not repeated")
	}
	if v := h.box.Judge("files_search", arguments(t, "query", "x"), h.env); v.Kind != tools.VerdictRun {
		t.Errorf("%+v", v)
	}
	for _, bad := range []string{`{}`, `{"query":" "}`, `{"query":"a","path":"../bob"}`, `{"query":"a","limit":-1}`, `{"query":7}`} {
		if v := h.box.Judge("files_search", json.RawMessage(bad), h.env); v.Kind != tools.VerdictDeny {
			t.Errorf("%s: %+v", bad, v)
		}
	}
	for _, query := range []string{"secret", canary, "key"} {
		if hits, notes := searched(t, h, "query", query); strings.Contains(fmt.Sprint(hits, notes), canary) {
			t.Errorf("another's file came through: %v", hits)
		}
	}
}

func TestTheBestLinesComeFirst(t *testing.T) {
	h := newDeployment(t, nil)
	h.write(t, "one.md", strings.Repeat("a report\n", 60)+"the yearly report of the zoo\n")
	h.write(t, "two.md", "yearly\n\nzoo\n")
	hits, notes := searched(t, h, "query", "yearly report zoo", "limit", 50)
	if len(hits) < 3 || hits[0].Path != "one.md" || hits[0].Line != 61 {
		t.Fatalf("%+v", hits)
	}
	mine := 0
	for _, hit := range hits {
		if hit.Path == "one.md" {
			mine++
		}
	}
	if mine != 20 || !strings.Contains(notes, "there is more") {
		t.Errorf("%d hits of one file, notes %q", mine, notes)
	}
	if hits, notes = searched(t, h, "query", "yearly report zoo", "limit", 1); len(hits) != 1 || !strings.Contains(notes, "there is more") {
		t.Errorf("%+v %q", hits, notes)
	}
}

// drive is a workspace of any size that is read from no store.
type drive struct {
	tools.Files
	count, size int
	body        func(i int) []byte
	wait        time.Duration
	reads       chan struct{}
}

func (d drive) Walk(ctx context.Context, fn func(files.File) error) error {
	for i := range d.count {
		if err := fn(files.File{Path: fmt.Sprintf("f%d.txt", i), Size: int64(d.size), Modified: time.Unix(int64(i), 0)}); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (d drive) Read(ctx context.Context, path string) ([]byte, error) {
	var i int
	_, _ = fmt.Sscanf(path, "f%d.txt", &i)
	if d.reads != nil {
		d.reads <- struct{}{}
	}
	select {
	case <-time.After(d.wait):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return d.body(i), nil
}

func TestAFilesSearchIsBounded(t *testing.T) {
	h := newDeployment(t, nil)
	line := []byte("the needle\n")
	for name, d := range map[string]drive{
		"many files":        {count: 60_000, size: 10, body: func(int) []byte { return line }},
		"a lot of bytes":    {count: 12, size: 8 << 20, body: func(int) []byte { return []byte(strings.Repeat("x y ", 1<<20)) }},
		"one line":          {count: 1, size: 8 << 20, body: func(int) []byte { return []byte(strings.Repeat("needle", 1<<18)) }},
		"only hits":         {count: 4, size: 8 << 20, body: func(int) []byte { return []byte(strings.Repeat("needle\n", 1<<14)) }},
		"marks on a letter": {count: 1, size: 8 << 20, body: func(int) []byte { return []byte("needle e" + strings.Repeat("\u0301", 1<<18)) }},
		"broken text":       {count: 1, size: 8 << 20, body: func(int) []byte { return []byte(strings.Repeat("needle ", 2000) + strings.Repeat("\xff", 1<<18)) }},
	} {
		h.env.Files = d
		began := time.Now()
		out, err := h.box.Run(t.Context(), "files_search", arguments(t, "query", "needle 熊", "limit", 50), h.env)
		if err != nil || len(out) > 32<<10 || time.Since(began) > 30*time.Second {
			t.Errorf("%s: %d bytes after %v: %v", name, len(out), time.Since(began), err)
		}
	}
	// A store that is slow costs what it brought, not all.
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	h.env.Files = drive{count: 100, size: 10, wait: time.Hour, body: func(int) []byte { return line }}
	began := time.Now()
	if _, err := h.box.Run(ctx, "files_search", arguments(t, "query", "needle"), h.env); err == nil || time.Since(began) > 4*time.Second {
		t.Errorf("a cancelled search ended after %v: %v", time.Since(began), err)
	}
}

// failing is a store that does not answer.
type failing struct{ tools.Files }

func (failing) Walk(context.Context, func(files.File) error) error {
	return errors.New("canary of the store")
}

func TestAFilesSearchSaysWhenTheStoreFails(t *testing.T) {
	h := newDeployment(t, nil)
	h.env.Files = failing{}
	if out, err := h.box.Run(t.Context(), "files_search", arguments(t, "query", "x"), h.env); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("%q, %v", out, err)
	}
}

func (drive) Foreign(context.Context) (files.Foreign, error) { return files.Foreign{}, nil }
