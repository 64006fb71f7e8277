package archive_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/archive"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// histories reads all of alice's sessions through an agent.
func histories(t *testing.T, m *runs.Manager) map[string]chat.History {
	t.Helper()
	sessions, err := m.Lists().Sessions(t.Context(), "alice", "")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]chat.History{}
	for _, s := range sessions {
		if all[s.ID], err = m.History(t.Context(), "alice", s.ID, runs.View{Tree: true}); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// The drill: export, lose everything, import elsewhere, go on.
func TestWhatWasExportedComesBack(t *testing.T) {
	for from, oldStore := range stores {
		for to, newStore := range stores {
			t.Run(from+" to "+to, func(t *testing.T) { drill(t, oldStore(t), newStore(t)) })
		}
	}
}

func drill(t *testing.T, before, after bucket.Bucket) {
	h := newDeployment(t)
	approval := h.live(before)
	body := export(t, before)
	if !bytes.Equal(body, export(t, before)) {
		t.Error("two exports of the same objects differ")
	}
	found, err := openArchive(t, body).Check(t.Context())
	if err != nil || len(found) > 0 {
		t.Fatalf("the archive is damaged: %v, %v", err, found)
	}
	done := restore(t, after, body)
	if diff := cmp.Diff(digests(t, before), digests(t, after)); diff != "" || done.Written != len(digests(t, before)) {
		t.Fatalf("%+v; objects differ (-want +got):\n%s", done, diff)
	}
	if again := restore(t, after, body); again.Written != 0 || again.Same != done.Written {
		t.Errorf("the second import did %+v, want nothing", again)
	}
	old, next := h.agent(before), h.agent(after)
	defer stop(t, old)
	defer stop(t, next)
	want, got := histories(t, old), histories(t, next)
	if diff := cmp.Diff(want, got); diff != "" || len(got) != 3 || len(got["plan"].Messages) != 5 {
		t.Errorf("histories differ (-want +got):\n%s\n%+v", diff, got)
	}
	u, err := next.Users().Get(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if file, err := u.Files.Read(t.Context(), "notes/树 1.md"); err != nil || string(file) != "oak\n" {
		t.Errorf("file = %q, %v", file, err)
	}
	if u.Memory.Len() != 2 {
		t.Errorf("%d memories, want 2", u.Memory.Len())
	}
	// The run that waited goes on where it was.
	if err := next.Approve(t.Context(), "alice", approval, chat.DecideOnce); err != nil {
		t.Fatal(err)
	}
	if e := wait(t, next, "asks", "", chat.TypeRunFinished); e.Status != chat.RunDone {
		t.Errorf("the parked run ended %s, want done", e.Status)
	}
}

func TestExportBesideALiveAgentIsAWholePast(t *testing.T) {
	store := onDisk(t)
	h := newDeployment(t)
	m := h.agent(store)
	say(t, m, "s0", "first", chat.TypeRunFinished)
	var acknowledged atomic.Int64
	done := make(chan struct{})
	finish := make(chan struct{})
	go func() {
		defer close(done)
		for n := int64(1); ; n++ {
			select {
			case <-finish:
				return
			default:
			}
			_, err := m.Start(t.Context(), "alice", fmt.Sprint("s", n%7), runs.Request{Message: fmt.Sprint("number ", n)})
			if err != nil {
				time.Sleep(time.Millisecond) // too many at once: as a client would wait
				n--
				continue
			}
			acknowledged.Store(n)
			if n%11 == 0 {
				_ = m.Delete(t.Context(), "alice", "s3") // not there yet, or not again
			}
		}
	}()
	whole := 0
	for range 15 {
		known := acknowledged.Load()
		snap, err := archive.Take(t.Context(), store, "alice")
		if err != nil {
			continue // it may give up, but never lie
		}
		var out bytes.Buffer
		if _, err := snap.WriteTar(t.Context(), &out); err != nil {
			continue
		}
		a := openArchive(t, out.Bytes())
		found, err := a.Check(t.Context())
		if err != nil || len(found) > 0 {
			t.Fatalf("an export is damaged: %v, %v", err, found)
		}
		whole++
		if known > 0 && known%7 != 3 && !listed(t, a, fmt.Sprint("s", known%7)) {
			t.Fatalf("the session of the acknowledged message %d is not listed in the archive", known)
		}
	}
	close(finish)
	<-done
	stop(t, m)
	if whole < 5 {
		t.Errorf("%d of 15 exports came through, want most", whole)
	}
}

// listed reports whether the archive's user would see the session.
func listed(t *testing.T, a *archive.Archive, session string) bool {
	t.Helper()
	snap, err := archive.Take(t.Context(), a, "alice")
	if err != nil {
		t.Fatal(err)
	}
	d, found, err := snap.Document(t.Context())
	if err != nil || len(found) > 0 {
		t.Fatal(err, found)
	}
	for _, s := range d.Sessions {
		if s.ID == session {
			return len(s.Messages) > 0
		}
	}
	return false
}

func TestExportOnlyReads(t *testing.T) {
	store := onDisk(t)
	h := newDeployment(t)
	h.live(store)
	want := objects(t, store)
	export(t, store)
	snap, err := archive.Take(t.Context(), store, "alice")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := snap.WriteMarkdown(t.Context(), &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, objects(t, store)); diff != "" {
		t.Errorf("an export changed the store:\n%s", diff)
	}
}

func TestJSONHasTheWholeTree(t *testing.T) {
	store := onDisk(t)
	h := newDeployment(t)
	h.live(store)
	snap, err := archive.Take(t.Context(), store, "alice")
	if err != nil {
		t.Fatal(err)
	}
	d, found, err := snap.Document(t.Context())
	if err != nil || len(found) > 0 {
		t.Fatal(err, found)
	}
	var out bytes.Buffer
	if err := d.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	var got archive.Document
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	m := h.agent(store)
	defer stop(t, m)
	want := histories(t, m)
	if len(got.Sessions) != len(want) {
		t.Errorf("%d sessions, want %d", len(got.Sessions), len(want))
	}
	for _, s := range got.Sessions {
		if diff := cmp.Diff(want[s.ID].Messages, s.Messages); diff != "" {
			t.Errorf("session %s (-want +got):\n%s", s.ID, diff)
		}
	}
	if len(got.Memory) != 2 || len(got.Files) != 3 || got.Files[1].Path != "notes/树 1.md" {
		t.Errorf("memory %v, files %v", got.Memory, got.Files)
	}
}

func TestMarkdownHasSessionsAndTheOriginalsMemory(t *testing.T) {
	store := onDisk(t)
	h := newDeployment(t)
	h.live(store)
	snap, err := archive.Take(t.Context(), store, "alice")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := snap.WriteMarkdown(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	pages := untar(t, out.Bytes())
	plan := string(pages["sessions/plan.md"])
	branches := strings.Index(plan, "# Other branches")
	if strings.Count(plan, "\n## ") != 5 || branches < 0 || strings.Index(plan, "周五去森林") > branches {
		t.Errorf("sessions/plan.md = %s", plan)
	}
	// Memory, and only memory, moves to another user.
	if _, err := archive.ImportMemory(t.Context(), store, "bob", bytes.NewReader(out.Bytes())); err != nil {
		t.Fatal(err)
	}
	got := dayFiles(t, store, "bob")
	if diff := cmp.Diff(dayFiles(t, store, "alice"), got); diff != "" || len(got) == 0 {
		t.Errorf("bob's day files (-want +got):\n%s", diff)
	}
}
