package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/agent/users"
)

type anything struct{}

func (anything) Apply(journal.Entry) error { return nil }

func TestVerifyNamesWhatIsDamagedAndFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	b, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	for _, session := range []string{"one", "two", "three"} {
		l, err := journal.Open(t.Context(), b, users.SessionPrefix("alice", session, 1), anything{}, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := l.Append(t.Context(), journal.Record{Type: "x", Body: []byte("1")}); err != nil {
				t.Fatal(err)
			}
		}
	}
	verify := func() (string, error) {
		var out bytes.Buffer
		t.Setenv("STORE", "disk:"+dir)
		err := verify(t.Context(), &out)
		return out.String(), err
	}
	if out, err := verify(); err != nil || !strings.Contains(out, "3 journals whole, 9 objects checked, 0 anchors held, 0 journals damaged") {
		t.Errorf("verify = %q, %v, want all whole", out, err)
	}
	bad := []string{users.SessionPrefix("alice", "one", 1) + "000000000002", users.SessionPrefix("alice", "three", 1) + "000000000001"}
	for _, k := range bad {
		if _, err := b.Put(t.Context(), k, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	out, err := verify()
	if err == nil || !strings.Contains(err.Error(), "2 journals are damaged") || !strings.Contains(err.Error(), "Next:") {
		t.Errorf("error = %v, want one that says how many and what to do", err)
	}
	for _, k := range bad {
		if !strings.Contains(out, "object "+k) {
			t.Errorf("%s is not named in:\n%s", k, out)
		}
	}
	if !strings.Contains(out, "1 journals whole") {
		t.Errorf("output = %q, want one whole", out)
	}
}
