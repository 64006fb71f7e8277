package archive_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/archive"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// meddler does something once, right before the store answers for a key or a
// prefix that it waits for.
type meddler struct {
	bucket.Bucket
	list, get string // substrings
	once      sync.Once
	do        func()
}

func (m *meddler) List(ctx context.Context, prefix, after string, limit int) ([]bucket.Entry, bool, error) {
	if m.list != "" && strings.Contains(prefix, m.list) {
		m.once.Do(m.do)
	}
	return m.Bucket.List(ctx, prefix, after, limit)
}

func (m *meddler) Get(ctx context.Context, key string) (bucket.Object, error) {
	if m.get != "" && strings.Contains(key, m.get) {
		m.once.Do(m.do)
	}
	return m.Bucket.Get(ctx, key)
}

func TestASessionThatComesToRestWhileItIsListedIsNotMissed(t *testing.T) {
	store := onDisk(t)
	u, err := users.New(store, time.Now).Get(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	row := users.SessionSummary{Session: chat.Session{ID: "s"}, Epoch: 1, Alive: true}
	if err := u.PutMarker(t.Context(), users.Marker{Session: row.Session, Epoch: 1}); err != nil {
		t.Fatal(err)
	}
	rests := func() {
		if err := errors.Join(u.Anchor(t.Context(), row), u.RemoveMarker(t.Context(), "s")); err != nil {
			t.Error(err)
		}
	}
	snap, err := archive.Take(t.Context(), &meddler{Bucket: store, list: "/open/", do: rests}, "alice")
	if err != nil {
		t.Fatal(err)
	}
	seen, err := users.New(snap, time.Now).Get(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if _, known := seen.Session("s"); !known {
		t.Error("the snapshot has neither the session's mark nor its anchor")
	}
}

func TestASessionThatIsDeletedWhileItIsExportedIsToldApart(t *testing.T) {
	for _, format := range []string{"tar", "md"} {
		store := onDisk(t)
		h := newDeployment(t)
		h.live(store)
		deletes := func() {
			u, err := users.New(store, time.Now).Get(t.Context(), "alice")
			if err == nil {
				err = u.Delete(t.Context(), "plan")
			}
			if err != nil {
				t.Error(err)
			}
		}
		snap, err := archive.Take(t.Context(), &meddler{Bucket: store, get: "/s/plan/", do: deletes}, "alice")
		if err != nil {
			t.Fatal(err)
		}
		if format == "tar" {
			_, err = snap.WriteTar(t.Context(), &bytes.Buffer{})
		} else {
			_, err = snap.WriteMarkdown(t.Context(), &bytes.Buffer{})
		}
		if !errors.Is(err, archive.ErrMoved) {
			t.Errorf("%s: error = %v, want ErrMoved", format, err)
		}
	}
}

func TestWhatIsNotTheUsersStaysOut(t *testing.T) {
	store := onDisk(t)
	h := newDeployment(t)
	h.live(store)
	want := export(t, store)
	for _, key := range []string{"u/alice/agents/a", "u/alice/snap/000000000064", "u/alice/secrets/mcp.json", "u/alice/s/plan/000001/snap/000000000064"} {
		if _, err := store.Put(t.Context(), key, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(want, export(t, store)) {
		t.Error("heartbeats, snapshots or secrets are exported")
	}
	// A workspace may have folders of these names.
	if _, err := store.Put(t.Context(), "u/alice/files/s/a/b/snap/c", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, there := untar(t, export(t, store))["u/alice/files/s/a/b/snap/c"]; !there {
		t.Error("a file of the workspace was left out")
	}
}
