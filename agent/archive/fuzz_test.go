package archive_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/archive"
	"github.com/loongclaw/loongclaw/agent/bucket"
)

// Whatever a tar says: no panic, and what opens holds only keys of its user,
// each with the bytes that the manifest names.
func FuzzOpen(f *testing.F) {
	files := map[string][]byte{
		"u/alice/log/000000000001": []byte("{}\n"), "u/alice/files/a": nil,
		"u/alice/files/" + strings.Repeat("long", 50) + "/b": []byte("long names have headers of their own"),
	}
	f.Add(retar(f, "alice", files))
	f.Add(retar(f, "bob", files))
	f.Add(plainTar(f, files))
	f.Add(plainTar(f, map[string][]byte{"memory/2026-03-01.md": []byte("x")}))
	f.Add(plainTar(f, map[string][]byte{"manifest.json": []byte(`{"version":1,"user":"alice","objects":0,"sums":[]}`)}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := archive.Open(bytes.NewReader(body), int64(len(body)))
		if err != nil {
			return
		}
		prefix := "u/" + bucket.Segment(a.Manifest.User) + "/"
		last := ""
		for _, s := range a.Manifest.Sums {
			if !strings.HasPrefix(s.Key, prefix) || bucket.CheckKey(s.Key) != nil || s.Key <= last {
				t.Fatalf("key %q of user %q", s.Key, a.Manifest.User)
			}
			last = s.Key
			o, err := a.Get(t.Context(), s.Key)
			if err == nil && archive.SumOf(s.Key, o.Body) != s {
				t.Fatalf("%s has other bytes than its manifest says", s.Key)
			}
		}
		if _, err := a.Check(t.Context()); err != nil {
			return
		}
		all, _, err := a.List(t.Context(), prefix, "", 0)
		if err != nil || len(all) != len(a.Manifest.Sums) {
			t.Fatalf("%d entries are listed, %d are there (%v)", len(all), len(a.Manifest.Sums), err)
		}
	})
}
