package runs_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/audit"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// objects reads all objects below a prefix.
func objects(t *testing.T, b bucket.Bucket, prefix string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for after := ""; ; {
		page, more, err := b.List(t.Context(), prefix, after, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			o, err := b.Get(t.Context(), e.Key)
			if err != nil {
				t.Fatal(err)
			}
			all[e.Key], after = string(o.Body), e.Key
		}
		if !more {
			return all
		}
	}
}

// filled makes a store of objects.
func filled(t *testing.T, all map[string]string) bucket.Bucket {
	t.Helper()
	b, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	for k, body := range all {
		if _, err := b.Put(t.Context(), k, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// hurt is where the session lies that the tests damage.
var hurt = users.SessionPrefix("alice", "hurt", 1)

func at(n int) string { return fmt.Sprintf("%s%012d", hurt, n) }

// forge changes an object's header and text, and makes its checksum right again.
func forge(t *testing.T, body string, change func(head map[string]any, lines []byte) []byte) string {
	t.Helper()
	head, rest, _ := bytes.Cut([]byte(body), []byte("\n"))
	var h map[string]any
	if err := json.Unmarshal(head, &h); err != nil {
		t.Fatal(err)
	}
	rest = change(h, rest)
	sum := sha256.Sum256(rest)
	h["sum"] = hex.EncodeToString(sum[:])
	head, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	return string(head) + "\n" + string(rest)
}

// lived makes a store in which alice has had two sessions that rest.
func lived(t *testing.T) map[string]string {
	t.Helper()
	r := newRig(t)
	m := r.agent("a")
	for _, s := range []string{"hurt", "well", "hurt", "hurt", "hurt"} {
		run := start(t, m, s, "hello")
		read(t, m, s, run.Cursor, finished(run))
	}
	stop(t, m, time.Second)
	return objects(t, r.store, "u/")
}

func TestDamageStopsItsSessionOnlyAndNothingIsWrittenOverIt(t *testing.T) {
	all := lived(t)
	last := 0
	for k := range all {
		if strings.HasPrefix(k, hurt) {
			last++
		}
	}
	if last < 6 {
		t.Fatalf("the session has %d objects, want some more to damage", last)
	}
	for _, c := range []struct {
		name  string
		spoil func(all map[string]string)
		bad   int
	}{
		{"a flipped byte", func(all map[string]string) {
			b := []byte(all[at(3)])
			b[len(b)-5] ^= 1
			all[at(3)] = string(b)
		}, 3},
		{"first dropped", func(all map[string]string) { delete(all, at(1)) }, 1},
		{"middle dropped", func(all map[string]string) { delete(all, at(3)) }, 3},
		{"last dropped", func(all map[string]string) { delete(all, at(last)) }, last},
		{"truncated", func(all map[string]string) { all[at(3)] = all[at(3)][:len(all[at(3)])-30] }, 3},
		{"emptied", func(all map[string]string) { all[at(last)] = "" }, last},
		{"reordered", func(all map[string]string) { all[at(3)], all[at(4)] = all[at(4)], all[at(3)] }, 3},
		{"forged with a wrong prev", func(all map[string]string) {
			all[at(3)] = forge(t, all[at(3)], func(h map[string]any, lines []byte) []byte {
				h["prev"] = strings.Repeat("0", 64)
				return lines
			})
		}, 3},
		{"forged in the middle", func(all map[string]string) {
			all[at(3)] = forge(t, all[at(3)], func(_ map[string]any, lines []byte) []byte {
				return bytes.ReplaceAll(lines, []byte("hello"), []byte("HELLO"))
			})
		}, 4}, // it fits what is before it: the one after it tells
		{"another session's object", func(all map[string]string) {
			all[at(1)] = all[users.SessionPrefix("alice", "well", 1)+at(1)[len(hurt):]]
		}, 1},
		{"two at once", func(all map[string]string) { delete(all, at(5)); all[at(2)] = "x" }, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			spoiled := map[string]string{}
			for k, v := range all {
				spoiled[k] = v
			}
			c.spoil(spoiled)
			b := filled(t, spoiled)
			found, err := audit.Run(t.Context(), b)
			if err != nil || len(found.Damaged) != 1 || found.Damaged[0].Prefix != hurt || !strings.Contains(found.Damaged[0].Err.Error(), at(c.bad)) {
				t.Errorf("verify = %+v, %v, want one damaged journal and object %s named", found, err, at(c.bad))
			}
			before := objects(t, b, hurt)
			serves(t, b, at(c.bad))
			if diff := cmp.Diff(before, objects(t, b, hurt)); diff != "" {
				t.Errorf("something was written over the damage:\n%s", diff)
			}
		})
	}
}

// serves looks what an agent does on a store in which the session "hurt" is
// damaged, and "well" is not.
func serves(t *testing.T, b bucket.Bucket, bad string) {
	t.Helper()
	r := newRig(t)
	r.store = b
	m := r.agent("a")
	defer stop(t, m, time.Second)
	recoverAll(t, m)
	_, herr := m.History(t.Context(), "alice", "hurt", runs.View{})
	_, serr := m.Start(t.Context(), "alice", "hurt", runs.Request{Message: "still there?"})
	_, ferr := m.Follow(t.Context(), "alice", "hurt", "")
	for _, err := range []error{herr, serr, ferr} {
		if fault.CodeOf(err) != fault.CodeDamaged || !strings.Contains(err.Error(), bad) {
			t.Errorf("error = %v, want session_damaged that names %s", err, bad)
		}
	}
	run := start(t, m, "well", "hello")
	read(t, m, "well", run.Cursor, finished(run))
}

func TestADamagedSessionCanBeDeletedAndBeginsAnew(t *testing.T) {
	all := lived(t)
	delete(all, at(2))
	b := filled(t, all)
	r := newRig(t)
	r.store = b
	m := r.agent("a")
	defer stop(t, m, time.Second)
	if err := m.Delete(t.Context(), "alice", "hurt"); err != nil {
		t.Fatal(err)
	}
	run := start(t, m, "hurt", "hello")
	read(t, m, "hurt", run.Cursor, finished(run))
	if found, err := audit.Run(t.Context(), b); err != nil || len(found.Damaged) != 0 || len(found.Orphans) != 0 {
		t.Errorf("verify = %+v, %v, want nothing damaged and nothing left over", found, err)
	}
}
