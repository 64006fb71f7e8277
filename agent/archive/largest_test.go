package archive_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/loongclaw/loongclaw/agent/archive"
	"github.com/loongclaw/loongclaw/agent/audit"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/r2"
	"github.com/loongclaw/loongclaw/agent/files"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/memory"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// scripted is a model that answers each message with what stands under it.
type scripted map[string]loop.Answer

func (s scripted) Answer(_ context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
	last := q.Messages[len(q.Messages)-1]
	a, ok := s[last.Text]
	if last.Role == loop.RoleTool || !ok {
		a = loop.Answer{Text: "done"}
	}
	a.Model, a.Finish = "test/m", chat.FinishStop
	if len(a.Calls) > 0 {
		a.Finish = chat.FinishToolCalls
	}
	for text := a.Text; text != ""; {
		n := min(len(text), 64<<10)
		onText(text[:n])
		text = text[n:]
	}
	return a, nil
}

// asks is a tool that asks, and then says more than may be kept.
type asks struct{}

func (asks) Spec() loop.Spec {
	return loop.Spec{Name: "asks", Description: "asks", Parameters: json.RawMessage(`{"type":"object"}`)}
}
func (asks) ReadOnly() bool { return false }
func (asks) Foreign() bool  { return false }
func (asks) Judge(json.RawMessage, tools.Env) tools.Verdict {
	return tools.Verdict{Kind: tools.VerdictAsk, Scope: "asks"}
}

func (asks) Run(context.Context, json.RawMessage, tools.Env) (string, error) {
	return strings.Repeat("o", 2*loop.MaxResult), nil
}

func withModel(t *testing.T, store bucket.Bucket, m loop.Model) *runs.Manager {
	t.Helper()
	return runs.New(runs.Config{
		Bucket: store, Model: m, Tools: tools.New(tools.Config{MaxOutput: 3 * loop.MaxResult}, asks{}),
		Persona:  func(context.Context, string) string { return "persona" },
		Instance: "a", MaxRuns: 4, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		CheckpointAfter: 20 * time.Millisecond, EvictAfter: time.Hour,
	})
}

// argument is a JSON object of n bytes.
func argument(n int) json.RawMessage {
	const around = len(`{"content":""}`)
	return json.RawMessage(`{"content":"` + strings.Repeat("A", n-around) + `"}`)
}

// unkind is text that takes six times as many bytes in JSON.
func unkind(n int) string { return strings.Repeat("\x01", n) }

const callBytes = 64 + len("c1") + len("asks") // of a call beside its arguments

// TestTheLargestOfEverythingIsReadBack writes the largest of everything that a model,
// a client or a user may bring, in the form that takes most room, and reads all of it
// back: by another agent, from an archive, and in the other store.
func TestTheLargestOfEverythingIsReadBack(t *testing.T) {
	answers := scripted{
		"text": {Text: unkind(loop.MaxAnswer), Reasoning: unkind(loop.MaxReasoning)},
		"call": {
			Text: "calling", Calls: []loop.Call{{ID: "c1", Name: "asks", Arguments: argument(loop.MaxArguments - callBytes)}},
			Native: json.RawMessage(`"` + strings.Repeat("N", loop.MaxNative-2) + `"`),
		},
	}
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			store := open(t)
			m := withModel(t, store, answers)
			if f := say(t, m, "text", "text", chat.TypeRunFinished); f.Status != chat.RunDone {
				t.Errorf("text: %+v", f)
			}
			asked := say(t, m, "call", "call", chat.TypeApprovalRequired)
			if err := m.Approve(t.Context(), "alice", asked.ApprovalID, chat.DecideOnce); err != nil {
				t.Fatal(err)
			}
			if f := wait(t, m, "call", asked.Cursor, chat.TypeRunFinished); f.Status != chat.RunDone {
				t.Errorf("call: %+v", f)
			}
			earlier := make([]runs.Exchange, chat.MaxEarlier+5)
			for i := range earlier {
				earlier[i] = runs.Exchange{User: fmt.Sprint(i), Assistant: strings.Repeat("\"", 800)}
			}
			run, err := m.Start(t.Context(), "alice", "client", runs.Request{Message: unkind(chat.MaxMessage-1) + ".", Instructions: unkind(chat.MaxInstructions), Earlier: earlier})
			if err != nil {
				t.Fatal(err)
			}
			wait(t, m, "client", run.Cursor, chat.TypeRunFinished)
			largestOfUser(t, m)
			stop(t, m)
			checkLargest(t, store)
			for other, open := range stores {
				if other != name {
					to := open(t)
					restore(t, to, export(t, store))
					checkLargest(t, to)
				}
			}
		})
	}
}

// largestOfUser fills memory with the largest items, many at once, and writes the
// largest file.
func largestOfUser(t *testing.T, m *runs.Manager) {
	t.Helper()
	u, err := m.Users().Get(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range memory.MaxContents/memory.MaxContent - 1 {
		all.Go(func() {
			item := memory.Item{Content: fmt.Sprintf("%03d", i) + strings.Repeat("\"", memory.MaxContent-3)}
			if _, err := u.Memory.Save(context.WithoutCancel(t.Context()), item); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := u.Files.Write(t.Context(), "largest", make([]byte, files.MaxFile)); err != nil {
		t.Fatal(err)
	}
}

// checkLargest reads everything as another agent does.
func checkLargest(t *testing.T, store bucket.Bucket) {
	t.Helper()
	for key, body := range objects(t, store) {
		if len(body) > bucket.MaxObject {
			t.Errorf("%s has %d bytes", key, len(body))
		}
	}
	if r, err := audit.Run(t.Context(), store); err != nil || len(r.Damaged) > 0 || r.Whole != 4 {
		t.Errorf("verify: %+v, %v", r, err)
	}
	m := withModel(t, store, scripted{})
	defer stop(t, m)
	for session, want := range map[string]int{"text": loop.MaxAnswer, "call": len("calling") + len("done"), "client": chat.MaxEarlier*800 + len("done")} {
		h, err := m.History(t.Context(), "alice", session, runs.View{Tree: true})
		if err != nil {
			t.Errorf("%s: %v", session, err)
			continue
		}
		got := 0
		for _, one := range h.Messages {
			if one.Role == chat.RoleAssistant {
				got += len(one.Content)
			}
		}
		if got != want {
			t.Errorf("%s: %d bytes of answers, want %d", session, got, want)
		}
	}
	u, err := m.Users().Get(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if n := u.Memory.Len(); n != memory.MaxContents/memory.MaxContent-1 {
		t.Errorf("%d memories", n)
	}
	if body, err := u.Files.Read(t.Context(), "largest"); err != nil || len(body) != files.MaxFile {
		t.Errorf("file: %d bytes, %v", len(body), err)
	}
}

// TestMoreThanTheLargestIsAClearFault: an answer that is too large ends its run and
// nothing else; the session goes on and can be read, what was shown stays.
func TestMoreThanTheLargestIsAClearFault(t *testing.T) {
	answers := scripted{
		"text":      {Text: strings.Repeat("t", loop.MaxAnswer+1)},
		"reasoning": {Text: "shown", Reasoning: strings.Repeat("r", loop.MaxReasoning+1)},
		"native":    {Text: "shown", Native: argument(loop.MaxNative + 1)},
		"arguments": {Text: "shown", Calls: []loop.Call{{ID: "c1", Name: "asks", Arguments: argument(loop.MaxArguments - callBytes + 1)}}},
		"many": {Text: "shown", Calls: []loop.Call{
			{ID: "c1", Name: "asks", Arguments: argument(loop.MaxArguments / 2)}, {ID: "c2", Name: "asks", Arguments: argument(loop.MaxArguments / 2)},
		}},
		// Each part may be as large, and all of them, in the form in which they take
		// most, do not fit.
		"together": {Text: unkind(loop.MaxAnswer), Reasoning: unkind(loop.MaxReasoning), Calls: []loop.Call{{ID: "c1", Name: "asks", Arguments: argument(loop.MaxArguments - callBytes)}}},
	}
	store := onDisk(t)
	m := withModel(t, store, answers)
	for message := range answers {
		f := say(t, m, message, message, chat.TypeRunFinished)
		if f.Status != chat.RunFailed || f.Error == nil {
			t.Errorf("%s: %+v, want a failed run that says why", message, f)
		}
		if f := say(t, m, message, "and then?", chat.TypeRunFinished); f.Status != chat.RunDone {
			t.Errorf("%s: the next message: %+v", message, f)
		}
	}
	stop(t, m)
	m = withModel(t, store, answers)
	defer stop(t, m)
	for message, a := range answers {
		h, err := m.History(t.Context(), "alice", message, runs.View{})
		if err != nil || len(h.Messages) != 4 {
			t.Errorf("%s: %d messages, %v", message, len(h.Messages), err)
			continue
		}
		// Pieces of 64 KiB were shown, so what did not fit is at most one of them.
		if shown := h.Messages[1].Content; !strings.HasPrefix(a.Text, shown) || len(shown) < min(len(a.Text), loop.MaxAnswer)-64<<10 || !h.Messages[1].Incomplete {
			t.Errorf("%s: %d bytes are kept of %d, incomplete %v", message, len(shown), len(a.Text), h.Messages[1].Incomplete)
		}
	}
	for key, body := range objects(t, store) {
		if len(body) > bucket.MaxObject {
			t.Errorf("%s has %d bytes", key, len(body))
		}
	}
	if _, err := m.Start(t.Context(), "alice", "x", runs.Request{Message: "x", Instructions: strings.Repeat("i", chat.MaxInstructions+1)}); fault.CodeOf(err) != fault.CodeTooLarge {
		t.Errorf("too long instructions: %v, want too_large", err)
	}
}

// TestWhatAnEarlierVersionWroteTooLarge: a store may hold objects above the limit from
// before there was one. S3 does not give them back; the session is damaged for that,
// and can be deleted, and nobody else suffers.
func TestWhatAnEarlierVersionWroteTooLarge(t *testing.T) {
	backend := s3mem.New()
	if err := backend.CreateBucket("b"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	defer server.Close()
	store := r2.New(r2.Config{Bucket: "b", Endpoint: server.URL, AccessKey: "key", SecretKey: "secret"})
	m := withModel(t, store, scripted{})
	say(t, m, "large", "hello", chat.TypeRunFinished)
	say(t, m, "small", "hello", chat.TypeRunFinished)
	if _, err := m.Start(t.Context(), "zoe", "s", runs.Request{Message: "hello"}); err != nil {
		t.Fatal(err)
	}
	stop(t, m)
	key := users.SessionPrefix("alice", "large", 1) + "000000000003"
	plant(t, server.URL+"/b/"+key, bucket.MaxObject+1)

	r, err := audit.Run(t.Context(), store)
	if err != nil || r.Users != 2 || len(r.Damaged) != 1 || !strings.Contains(r.Damaged[0].Err.Error(), key) {
		t.Errorf("verify: %+v, %v, want this one journal damaged and both users checked", r, err)
	}
	snap, err := archive.Take(t.Context(), store, "alice")
	if err != nil {
		t.Fatal(err)
	}
	var tar bytes.Buffer
	if _, err := snap.WriteTar(t.Context(), &tar); err != nil {
		t.Fatalf("export: %v", err)
	}
	if left := snap.Left(); len(left) != 1 || !strings.Contains(left[0].Error(), key) {
		t.Errorf("left out: %v, want %s named", left, key)
	}
	to := onDisk(t)
	restore(t, to, tar.Bytes())
	there := objects(t, to)
	if there[users.SessionPrefix("alice", "small", 1)+"000000000001"] == nil || there[users.SessionPrefix("alice", "large", 1)+"000000000001"] != nil {
		t.Error("of the archive the session small is to be there, and nothing of large")
	}

	m = withModel(t, store, scripted{})
	defer stop(t, m)
	if _, err := m.History(t.Context(), "alice", "large", runs.View{}); fault.CodeOf(err) != fault.CodeDamaged {
		t.Errorf("history: %v, want session_damaged", err)
	}
	if _, err := m.History(t.Context(), "alice", "small", runs.View{}); err != nil {
		t.Errorf("the other session: %v", err)
	}
	if err := m.Delete(t.Context(), "alice", "large"); err != nil {
		t.Errorf("delete: %v", err)
	}
	if _, err := store.Get(t.Context(), key); err == nil {
		t.Error("the object is still there")
	}
	if f := say(t, m, "large", "again", chat.TypeRunFinished); f.Status != chat.RunDone {
		t.Errorf("the session's next life: %+v", f)
	}
}

// plant puts an object into the store past its client.
func plant(t *testing.T, url string, size int) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, bytes.NewReader(make([]byte, size)))
	if err != nil {
		t.Fatal(err)
	}
	a, err := http.DefaultClient.Do(q)
	if err != nil || a.StatusCode != http.StatusOK {
		t.Fatal(a, err)
	}
	_ = a.Body.Close()
}
