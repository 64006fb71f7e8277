package archive_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/loongclaw/loongclaw/agent/archive"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/bucket/r2"
	"github.com/loongclaw/loongclaw/agent/memory"
	"github.com/loongclaw/loongclaw/agent/model"
	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// The stores that every drill runs on.
var stores = map[string]func(t *testing.T) bucket.Bucket{
	"disk": onDisk,
	"s3": func(t *testing.T) bucket.Bucket {
		t.Helper()
		backend := s3mem.New()
		if err := backend.CreateBucket("b"); err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(gofakes3.New(backend).Server())
		t.Cleanup(server.Close)
		return r2.New(r2.Config{Bucket: "b", Endpoint: server.URL, AccessKey: "key", SecretKey: "secret"})
	},
}

func onDisk(t *testing.T) bucket.Bucket {
	t.Helper()
	store, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// deployment is a provider and agents that use it.
type deployment struct {
	t        *testing.T
	provider *modeltest.Server
	url      string
}

func newDeployment(t *testing.T) *deployment {
	t.Helper()
	provider := modeltest.New()
	server := httptest.NewServer(provider)
	t.Cleanup(server.Close)
	return &deployment{t, provider, server.URL}
}

// agent starts an agent on a store. Stop it with stop.
func (h *deployment) agent(store bucket.Bucket) *runs.Manager {
	m, _ := model.New(model.Config{Settings: map[string]model.Provider{"openai": {Key: "key", URL: h.url, Model: "m"}}}, nil, nil)
	return runs.New(runs.Config{
		Bucket: store, Model: m, Tools: tools.New(tools.Config{WorkspaceDir: h.t.TempDir()}),
		Persona:  func(context.Context, string) string { return "persona" },
		Instance: "a", MaxRuns: 4, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		CheckpointAfter: 20 * time.Millisecond, EvictAfter: time.Hour,
	})
}

func stop(t *testing.T, m *runs.Manager) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	m.Drain(ctx)
}

// say sends a message of alice's and waits until an event of its kind comes.
func say(t *testing.T, m *runs.Manager, session, message, until string) chat.Event {
	t.Helper()
	run, err := m.Start(t.Context(), "alice", session, runs.Request{Message: message, Interactive: true})
	if err != nil {
		t.Fatal(err)
	}
	return wait(t, m, session, run.Cursor, until)
}

func wait(t *testing.T, m *runs.Manager, session, after, until string) chat.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	f, err := m.Follow(ctx, "alice", session, after)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for {
		events, err := f.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if e.Type == until {
				return e
			}
		}
	}
}

// live gives alice a life: two sessions with a branch, one that waits for an
// approval, one that was deleted, memories, a file and a persona.
func (h *deployment) live(store bucket.Bucket) (approval string) {
	t := h.t
	t.Helper()
	m := h.agent(store)
	defer stop(t, m)
	u, err := m.Users().Get(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Files.Write(t.Context(), "way.txt", []byte("behind the old oak")); err != nil {
		t.Fatal(err)
	}
	run, err := m.Start(t.Context(), "alice", "plan", runs.Request{Message: "请记住：周五去森林", Attachments: []runs.Attachment{{Path: "way.txt"}}})
	if err != nil {
		t.Fatal(err)
	}
	wait(t, m, "plan", run.Cursor, chat.TypeRunFinished)
	say(t, m, "plan", "and what about Saturday?", chat.TypeRunFinished)
	again, err := m.Regenerate(t.Context(), "alice", "plan", "", "", "")
	if err != nil {
		t.Fatal(err)
	}
	wait(t, m, "plan", again.Cursor, chat.TypeRunFinished)
	say(t, m, "狗熊岭 2", "a session whose name is no plain id", chat.TypeRunFinished)
	say(t, m, "gone", "this will be deleted", chat.TypeRunFinished)
	if err := m.Delete(t.Context(), "alice", "gone"); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Memory.Save(t.Context(), memory.Item{Content: "honey is in the old oak", Tags: []string{"food"}}); err != nil {
		t.Fatal(err)
	}
	if err := u.Files.Write(t.Context(), "notes/树 1.md", []byte("oak\n")); err != nil {
		t.Fatal(err)
	}
	if err := u.Files.Write(t.Context(), "empty", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Put(t.Context(), "u/alice/config/SOUL.md", []byte("You are 熊二.")); err != nil {
		t.Fatal(err)
	}
	h.provider.Script(modeltest.Reply{Calls: []modeltest.Call{{Name: "write_file", Arguments: json.RawMessage(`{"path":"x","content":"y"}`)}}})
	return say(t, m, "asks", "write a file", chat.TypeApprovalRequired).ApprovalID
}

// export gives alice's archive.
func export(t *testing.T, store bucket.Bucket) []byte {
	t.Helper()
	snap, err := archive.Take(t.Context(), store, "alice")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := snap.WriteTar(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func openArchive(t *testing.T, body []byte) *archive.Archive {
	t.Helper()
	a, err := archive.Open(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func restore(t *testing.T, store bucket.Bucket, body []byte) archive.Restored {
	t.Helper()
	done, err := archive.Restore(t.Context(), store, "alice", openArchive(t, body))
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// digests gives the SHA-256 of every object but what an archive leaves out:
// heartbeats, snapshots, and the note of where the user's journal ends.
func digests(t *testing.T, store bucket.Bucket) map[string]string {
	t.Helper()
	sums := map[string]string{}
	for key, body := range objects(t, store) {
		if !strings.Contains(key, "/agents/") && !strings.Contains(key, "/snap/") {
			h := sha256.Sum256(body)
			sums[key] = hex.EncodeToString(h[:])
		}
	}
	return sums
}

func objects(t *testing.T, store bucket.Bucket) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for after := ""; ; {
		page, more, err := store.List(t.Context(), "", after, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			o, err := store.Get(t.Context(), e.Key)
			if err != nil {
				t.Fatal(err)
			}
			all[e.Key], after = o.Body, e.Key
		}
		if !more {
			return all
		}
	}
}
