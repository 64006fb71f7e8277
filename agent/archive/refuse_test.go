package archive_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/archive"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// untar gives a tar's files.
func untar(t testing.TB, body []byte) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(body)); ; {
		head, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[head.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// retar makes a tar of files, in order, with a manifest that fits them.
func retar(t testing.TB, user string, files map[string][]byte) []byte {
	t.Helper()
	files = maps.Clone(files)
	delete(files, "manifest.json")
	m := archive.Manifest{Version: 1, User: user, Objects: len(files)}
	for _, key := range slices.Sorted(maps.Keys(files)) {
		m.Sums = append(m.Sums, archive.SumOf(key, files[key]))
	}
	body, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	files["manifest.json"] = body
	return plainTar(t, files)
}

func plainTar(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := errors.Join(w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(files[name])), Mode: 0o600})); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// firstOf gives the first key below a prefix.
func firstOf(files map[string][]byte, prefix string) string {
	for _, key := range slices.Sorted(maps.Keys(files)) {
		if strings.HasPrefix(key, prefix) {
			return key
		}
	}
	return ""
}

func TestAFaultyArchiveIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	h := newDeployment(t)
	source := onDisk(t)
	h.live(source)
	body := export(t, source)
	whole := untar(t, body)
	object, attached := firstOf(whole, "u/alice/s/plan/000001/log/"), firstOf(whole, "u/alice/s/plan/000001/attached/")
	last := slices.Max(slices.Collect(func(yield func(string) bool) {
		for key := range whole {
			if strings.HasPrefix(key, "u/alice/s/plan/") && strings.Contains(key, "/log/") && !yield(key) {
				return
			}
		}
	}))
	with := func(change func(files map[string][]byte)) []byte {
		files := maps.Clone(whole)
		change(files)
		return retar(t, "alice", files)
	}
	flip := func(b []byte) []byte { b = bytes.Clone(b); b[len(b)/2] ^= 1; return b }
	for name, c := range map[string]struct {
		body []byte
		want string // what the error names
	}{
		"cut":                       {body[:len(body)/2], "damaged"},
		"without its end":           {body[:len(body)-8000], "damaged"},
		"a flipped byte":            {bytes.Replace(body, []byte("honey"), []byte("honez"), 1), "not what its manifest says"},
		"a flipped, resummed byte":  {with(func(f map[string][]byte) { f[object] = flip(f[object]) }), object},
		"a changed attachment":      {with(func(f map[string][]byte) { f[attached] = flip(f[attached]) }), attached},
		"a gap in a chain":          {with(func(f map[string][]byte) { delete(f, object) }), object},
		"a lost tail":               {with(func(f map[string][]byte) { delete(f, last) }), last},
		"a key above":               {with(func(f map[string][]byte) { f["u/alice/../bob/log/000000000001"] = nil }), "no object"},
		"another user's key":        {with(func(f map[string][]byte) { f["u/bob/log/000000000001"] = nil }), "u/bob"},
		"a heartbeat":               {with(func(f map[string][]byte) { f["u/alice/agents/a"] = nil }), "agents"},
		"an absolute path":          {with(func(f map[string][]byte) { f["/etc/passwd"] = nil }), "no archive"},
		"a path that no store has":  {with(func(f map[string][]byte) { f["u/alice/files/a b"] = nil }), "no object"},
		"an object beside the list": {plainTar(t, merged(whole, "u/alice/files/more", []byte("x"))), "lists"},
		"no manifest":               {plainTar(t, without(whole, "manifest.json")), "no manifest"},
	} {
		t.Run(name, func(t *testing.T) {
			target := onDisk(t)
			a, err := archive.Open(bytes.NewReader(c.body), int64(len(c.body)))
			if err == nil {
				_, err = archive.Restore(t.Context(), target, "alice", a)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error = %v, want one that says %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "honey") {
				t.Errorf("the error holds content: %v", err)
			}
			if n := len(objects(t, target)); n != 0 {
				t.Errorf("%d objects were written", n)
			}
		})
	}
}

func merged(files map[string][]byte, key string, body []byte) map[string][]byte {
	files = maps.Clone(files)
	files[key] = body
	return files
}

func without(files map[string][]byte, key string) map[string][]byte {
	files = maps.Clone(files)
	delete(files, key)
	return files
}

func TestLinksAndHolesAreNoObjects(t *testing.T) {
	for _, kind := range []byte{tar.TypeSymlink, tar.TypeLink, tar.TypeChar, tar.TypeFifo} {
		var out bytes.Buffer
		w := tar.NewWriter(&out)
		if err := w.WriteHeader(&tar.Header{Typeflag: kind, Name: "u/alice/files/x", Linkname: "/etc/passwd"}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Open(bytes.NewReader(out.Bytes()), int64(out.Len())); err == nil || !strings.Contains(err.Error(), "ordinary") {
			t.Errorf("kind %q: error = %v", kind, err)
		}
	}
}

func TestNothingIsWrittenOverWhatDiffers(t *testing.T) {
	h := newDeployment(t)
	source, target := onDisk(t), onDisk(t)
	h.live(source)
	body := export(t, source)
	if _, err := target.Put(t.Context(), "u/alice/files/empty", []byte("not empty")); err != nil {
		t.Fatal(err)
	}
	_, err := archive.Restore(t.Context(), target, "alice", openArchive(t, body))
	if fault.CodeOf(err) != fault.CodeConflict || !strings.Contains(err.Error(), "u/alice/files/empty") {
		t.Errorf("error = %v, want a conflict that names the file", err)
	}
	if n := len(objects(t, target)); n != 1 {
		t.Errorf("%d objects, want the one that was there", n)
	}
}

func TestAnArchiveGoesBackToItsOwnUserOnly(t *testing.T) {
	h := newDeployment(t)
	source, target := onDisk(t), onDisk(t)
	h.live(source)
	_, err := archive.Restore(t.Context(), target, "bob", openArchive(t, export(t, source)))
	if err == nil || !strings.Contains(fault.From(err).Hint, "-format md") || len(objects(t, target)) != 0 {
		t.Errorf("error = %v with hint %q, want a refusal that knows the way", err, fault.From(err).Hint)
	}
}

func TestAnInterruptedImportIsCompleted(t *testing.T) {
	h := newDeployment(t)
	source, target := onDisk(t), onDisk(t)
	h.live(source)
	body := export(t, source)
	restore(t, target, body)
	for i, key := range slices.Sorted(maps.Keys(objects(t, target))) {
		if i%3 == 0 && !strings.Contains(key, "/open/") && !strings.Contains(key, "/files/") { // these are written first
			if err := target.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
	}
	restore(t, target, body)
	if diff := cmp.Diff(digests(t, source), digests(t, target)); diff != "" {
		t.Errorf("objects differ (-want +got):\n%s", diff)
	}
}

func TestAnOldArchiveDoesNotBringBackWhatWasDeleted(t *testing.T) {
	h := newDeployment(t)
	store := onDisk(t)
	approval := h.live(store)
	body := export(t, store)
	m := h.agent(store)
	if err := m.Approve(t.Context(), "alice", approval, chat.DecideDeny); err != nil {
		t.Fatal(err)
	}
	wait(t, m, "asks", "", chat.TypeRunFinished)
	if err := m.Delete(t.Context(), "alice", "plan"); err != nil {
		t.Fatal(err)
	}
	if err := m.Clear(t.Context(), "alice", "asks"); err != nil {
		t.Fatal(err)
	}
	say(t, m, "asks", "a new life", chat.TypeRunFinished)
	stop(t, m)
	want := digests(t, store)
	done := restore(t, store, body)
	if diff := cmp.Diff(want, digests(t, store)); diff != "" || done.Written != 0 || done.Ended == 0 {
		t.Errorf("%+v, the import changed the store (-want +got):\n%s", done, diff)
	}
}

// TestAnOldArchiveBringsDeletedFilesBackOnlyWhenAsked imports beside newer objects,
// into a store that has lost everything, and into one where an import broke off
// before the user's journal was written: its files were not all there yet.
func TestAnOldArchiveBringsDeletedFilesBackOnlyWhenAsked(t *testing.T) {
	h := newDeployment(t)
	store := onDisk(t)
	m := h.agent(store)
	say(t, m, "one", "hello", chat.TypeRunFinished)
	key := users.FilesPrefix("alice")
	for _, name := range []string{"gone.txt", "kept.txt"} {
		if _, err := store.Put(t.Context(), key+name, []byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	stop(t, m)
	body := export(t, store)
	if err := store.Delete(t.Context(), key+"gone.txt"); err != nil {
		t.Fatal(err)
	}
	m = h.agent(store)
	say(t, m, "two", "hello again", chat.TypeRunFinished)
	stop(t, m)
	there := func(store bucket.Bucket) bool {
		_, err := store.Get(t.Context(), key+"gone.txt")
		return err == nil
	}
	if done := restore(t, store, body); there(store) || done.Gone != 1 || done.Written != 0 {
		t.Errorf("%+v: a file that was deleted since is back: %v", done, there(store))
	}
	a := openArchive(t, body)
	a.Files = true
	if done, err := archive.Restore(t.Context(), store, "alice", a); err != nil || !there(store) || done.Written != 1 {
		t.Errorf("%+v, %v: a file that was asked for is not back", done, err)
	}
	empty := onDisk(t)
	if done := restore(t, empty, body); !there(empty) || done.Gone != 0 {
		t.Errorf("%+v: an empty store lacks a file", done)
	}
	half := onDisk(t)
	restore(t, half, body)
	for name := range objects(t, half) {
		if !strings.Contains(name, "kept.txt") {
			if err := half.Delete(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
	}
	if done := restore(t, half, body); !there(half) {
		t.Errorf("%+v: an import that went on lacks a file", done)
	}
}

func TestALiveAgentsUserIsRefused(t *testing.T) {
	store := onDisk(t)
	u, err := users.New(store, time.Now).Get(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Beat(t.Context(), "box 1", "p"); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	err = archive.CheckRest(t.Context(), store, "alice", now.Add(29*time.Second))
	if fault.CodeOf(err) != fault.CodeConflict || !strings.Contains(err.Error(), "box 1") {
		t.Errorf("after 29 s: %v, want a conflict that names the agent", err)
	}
	if err := archive.CheckRest(t.Context(), store, "alice", now.Add(31*time.Second)); err != nil {
		t.Errorf("after 31 s: %v", err)
	}
	if err := archive.CheckRest(t.Context(), store, "bob", now); err != nil {
		t.Errorf("another user: %v", err)
	}
}
