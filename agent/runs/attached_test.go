package runs_test

import (
	"bytes"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/model"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// TestWhatAMessageBroughtAlongIsGivenAsItWas, on every branch and by every agent, whatever
// became of the file; what no message of the session names is not found.
func TestWhatAMessageBroughtAlongIsGivenAsItWas(t *testing.T) {
	r := newRig(t)
	m := r.seeing("a", model.VisionTrue)
	defer func() { stop(t, m, time.Second) }()
	old, text := pngOf(t, 30), []byte("<html><script>alert(1)</script></html>")
	write(t, m, "a.png", old)
	write(t, m, "page.html", text)
	write(t, m, "empty.txt", nil)
	first := sends(t, m, "s", with("look", "", "a.png", "page.html", "empty.txt"))
	root := ""
	branch := with("another way", "", "a.png")
	branch.ParentID = &root
	write(t, m, "a.png", pngOf(t, 50))
	sends(t, m, "s", branch)
	sends(t, m, "other", with("look", "", "a.png"))
	if first.SessionID != "s" {
		t.Fatalf("%+v", first)
	}
	gone := func(m *runs.Manager, user, session, hash, what string) {
		t.Helper()
		if _, _, err := runs.Attached(t.Context(), m, user, session, hash); fault.CodeOf(err) != fault.CodeNotFound {
			t.Errorf("%s: %v, want not_found", what, err)
		}
	}
	given := func(m *runs.Manager, session string, body []byte, mediaType string) {
		t.Helper()
		got, is, err := runs.Attached(t.Context(), m, "alice", session, users.HashOf(body))
		if err != nil || !bytes.Equal(got, body) || is != mediaType {
			t.Errorf("%s: %d bytes, %q, %v; want %d of %q", session, len(got), is, err, len(body), mediaType)
		}
	}
	given(m, "s", old, "image/png")
	given(m, "s", pngOf(t, 50), "image/png")
	given(m, "s", text, "text/plain")
	given(m, "s", nil, "text/plain")
	named := []string{users.HashOf(old), users.HashOf(pngOf(t, 50)), users.HashOf(text), users.HashOf(nil)}
	shown := 0
	for _, key := range r.kept(t) {
		if hash := path.Base(key); !strings.Contains(strings.Join(named, " "), hash) {
			shown++
			gone(m, "alice", "s", hash, "what the model is shown")
		}
	}
	if shown == 0 {
		t.Error("the store keeps nothing beside what was sent")
	}
	gone(m, "alice", "other", users.HashOf(old), "of another session")
	gone(m, "alice", "none", users.HashOf(old), "of a session that there is not")
	gone(m, "bob", "s", users.HashOf(old), "of another user's")
	for _, odd := range []string{"", ".", "../log/1", strings.ToUpper(users.HashOf(old)), users.HashOf(old)[:63], "x", users.HashOf(old) + "/.."} {
		gone(m, "alice", "s", odd, "the hash "+odd)
	}

	// Another agent finds at once what this one has just taken in.
	second := r.seeing("b", model.VisionTrue)
	defer func() { stop(t, second, time.Second) }()
	given(second, "other", pngOf(t, 50), "image/png")
	for _, text := range []string{"honey", "berries", "salmon", "acorns", "roots"} {
		write(t, m, "new.txt", []byte(text))
		sends(t, m, "other", with("look", "", "new.txt"))
		given(second, "other", []byte(text), "text/plain")
	}

	if err := m.Clear(t.Context(), "alice", "s"); err != nil {
		t.Fatal(err)
	}
	gone(m, "alice", "s", users.HashOf(old), "of an earlier life")
	gone(second, "alice", "s", users.HashOf(old), "of an earlier life, at another agent")
	write(t, m, "a.png", pngOf(t, 60))
	sends(t, m, "s", with("look", "", "a.png"))
	gone(m, "alice", "s", users.HashOf(old), "of an earlier life, in a later one")
}
