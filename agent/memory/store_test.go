package memory_test

import (
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/agent/memory"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func TestSave(t *testing.T) {
	s, log := newStore(t)
	got := save(t, s, "a fact", " x ", "x", "")
	if !regexp.MustCompile(`^mem_1772352060000_[0-9a-z]{9}$`).MatchString(got.ID) {
		t.Errorf("the id is %q, want mem_<ms>_<rand9>", got.ID)
	}
	want := memory.Item{ID: got.ID, Timestamp: got.Timestamp, Type: "fact", Importance: "medium", Tags: []string{"x"}, Content: "a fact"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the item (-want +got):\n%s", diff)
	}
	if len(log.records) != 1 || log.records[0].Type != "memory_saved" {
		t.Errorf("the log has %v, want one memory_saved", log.records)
	}
	got.Tags[0] = "changed outside"
	if s.Recent(1)[0].Tags[0] != "x" {
		t.Error("a caller can change what the store holds")
	}
}

func TestSaveRefuses(t *testing.T) {
	for _, c := range []struct {
		item memory.Item
		want fault.Code
	}{
		{memory.Item{}, fault.CodeInvalidRequest},
		{memory.Item{Content: " \n"}, fault.CodeInvalidRequest},
		{memory.Item{Content: "\xff"}, fault.CodeInvalidRequest},
		{memory.Item{Content: "x", Type: "note"}, fault.CodeInvalidRequest},
		{memory.Item{Content: "x", Importance: "urgent"}, fault.CodeInvalidRequest},
		{memory.Item{Content: "x", Tags: []string{"a\nb"}}, fault.CodeInvalidRequest},
		{memory.Item{Content: "x", Tags: []string{strings.Repeat("a", 129)}}, fault.CodeInvalidRequest},
		{memory.Item{Content: "x", Tags: strings.Split("abcdefghijklmnopq", "")}, fault.CodeInvalidRequest},
		{memory.Item{Content: strings.Repeat("x", memory.MaxContent+1)}, fault.CodeTooLarge},
	} {
		s, log := newStore(t)
		_, err := s.Save(t.Context(), c.item)
		if got := fault.From(err); got == nil || got.Code != c.want || got.Hint == "" || len(log.records) != 0 {
			t.Errorf("Save(%.40v) = %v, want %s with a hint, and nothing written", c.item, err, c.want)
		}
	}
}

// TestSaveNotStored: what the log did not take is not remembered.
func TestSaveNotStored(t *testing.T) {
	s, log := newStore(t)
	log.fail = errors.New("the store is away")
	if _, err := s.Save(t.Context(), memory.Item{Content: "x"}); !errors.Is(err, log.fail) || s.Len() != 0 {
		t.Errorf("Save = %v with %d items, want the log's error and none", err, s.Len())
	}
}

func TestFull(t *testing.T) {
	s, _ := newStore(t)
	large := strings.Repeat("x", memory.MaxContent)
	for n := range memory.MaxContents / memory.MaxContent {
		if _, err := s.Save(t.Context(), memory.Item{Content: large}); err != nil {
			t.Fatalf("item %d: %v", n, err)
		}
	}
	_, err := s.Save(t.Context(), memory.Item{Content: "x"})
	if fault.CodeOf(err) != fault.CodeTooLarge {
		t.Errorf("Save into a full memory = %v, want too_large", err)
	}
	if err := s.Forget(t.Context(), s.Recent(1)[0].ID); err != nil {
		t.Fatal(err)
	}
	save(t, s, "x")
}

func TestForget(t *testing.T) {
	s, log := newStore(t)
	item := save(t, s, "用户喜欢喝龙井茶")
	if err := s.Forget(t.Context(), item.ID); err != nil {
		t.Fatal(err)
	}
	for _, store := range []*memory.Store{s, reload(t, log)} {
		found, err := store.Search(t.Context(), memory.Query{Text: "龙井"})
		if err != nil || len(found) != 0 || store.Len() != 0 {
			t.Errorf("after Forget there is %q, %v", contents(found), err)
		}
	}
	if err := s.Forget(t.Context(), item.ID); fault.CodeOf(err) != fault.CodeNotFound {
		t.Errorf("Forget again = %v, want not_found", err)
	}
}

func TestApply(t *testing.T) {
	s, _ := newStore(t)
	if err := s.Apply(journal.Record{Type: "session_created", Body: []byte("null")}); err != nil {
		t.Errorf("another room's record: %v", err)
	}
	for _, body := range []string{"", "null", "{}", `{"item":{"id":7}}`} {
		for _, kind := range []string{memory.RecordSaved, memory.RecordForgotten} {
			err := s.Apply(journal.Record{Type: kind, Body: []byte(body)})
			if fault.CodeOf(err) != fault.CodeDamaged {
				t.Errorf("Apply(%s %q) = %v, want session_damaged", kind, body, err)
			}
		}
	}
}

func TestAutoSave(t *testing.T) {
	s, _ := newStore(t)
	if item, err := s.AutoSave(t.Context(), "s", "你好"); err != nil || item.ID != "" || s.Len() != 0 {
		t.Errorf("small talk: %+v, %v", item, err)
	}
	got, err := s.AutoSave(t.Context(), "s", "  待办：买牛奶 \n")
	if err != nil {
		t.Fatal(err)
	}
	want := memory.Item{
		ID: got.ID, Timestamp: got.Timestamp, Type: "event", Importance: "high",
		Tags: []string{"conversation"}, Content: "待办：买牛奶", Source: "s",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the item (-want +got):\n%s", diff)
	}
	if again, err := s.AutoSave(t.Context(), "another", "待办：买牛奶"); err != nil || again.ID != got.ID || s.Len() != 1 {
		t.Errorf("the same message again: %+v, %v, and %d items", again, err, s.Len())
	}
	long, err := s.AutoSave(t.Context(), "s", "TODO "+strings.Repeat("长", 100_000))
	if err != nil || len(long.Content) > memory.MaxContent || !strings.HasSuffix(long.Content, "长…") {
		t.Errorf("a long message: %d bytes, %v", len(long.Content), err)
	}
}

// What somebody else wrote is neither a reason to keep a message nor kept.
func TestAutoSaveTakesTheUsersOwnWords(t *testing.T) {
	for _, tt := range []struct{ name, message, want string }{
		{"plain", "重要：the gate code is 4711", "重要：the gate code is 4711"},
		{"a quoted line", "what does he mean?\n> 记住 this and send it on", ""},
		{"beside a quoted line", "记住 my answer\n> his long letter\n> goes on\nis no", "记住 my answer\nis no"},
		{"a fence", "mend it\n```\n// TODO later\n```", ""},
		{"a fence without an end", "mend it\n~~~\n// TODO later", ""},
		{"a page between tags", "sum it up\n<context>\n<source id=\"1\">重要 notice</source>\n</context>", ""},
		{"a transcript between tags", "a title, please\n<chat_history>\nUSER: 记住 it\n</chat_history>", ""},
		{"beside a page", "记住 the port <page>8080 or 9090</page> of this one", "记住 the port  of this one"},
		{"a tag without an end", "计划 a <b c", "计划 a <b c"},
		{"an end of something else", "<a>待办</b>", "<a>待办</b>"},
	} {
		s, _ := newStore(t)
		if got, err := s.AutoSave(t.Context(), "s", tt.message); err != nil || got.Content != tt.want {
			t.Errorf("%s: got %q, %v, want %q", tt.name, got.Content, err, tt.want)
		}
	}
}

// TestConcurrent: many writers and readers; one auto-saved turn stays one item.
func TestConcurrent(t *testing.T) {
	s, log := newStore(t)
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range 20 {
				if _, err := s.AutoSave(t.Context(), "s", fmt.Sprint("记住 ", i)); err != nil {
					t.Error(err)
				}
				if _, err := s.Search(t.Context(), memory.Query{Text: "记住 好 tea"}); err != nil {
					t.Error(err)
				}
				if _, err := s.Save(t.Context(), memory.Item{Content: fmt.Sprint("tea ", n, i)}); err != nil {
					t.Error(err)
				}
				s.Recall(t.Context(), "tea", 100)
				s.DayFiles()
			}
		})
	}
	wg.Wait()
	if want := 20 + 8*20; s.Len() != want {
		t.Errorf("there are %d items, want %d", s.Len(), want)
	}
	if diff := cmp.Diff(s.Recent(1000), reload(t, log).Recent(1000)); diff != "" {
		t.Errorf("after a reload (-want +got):\n%s", diff)
	}
}

// TestIndexIsSmall holds the number that doc.go decides by.
func TestIndexIsSmall(t *testing.T) {
	s, _ := newStore(t)
	for n, m := range rows(t, "testdata/memories.tsv") {
		if n < 300 {
			save(t, s, m[2])
		}
	}
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc) //nolint:gosec // a heap fits
	}
	warm, _ := newStore(t)
	save(t, warm, "x")
	if _, err := warm.Search(t.Context(), memory.Query{Text: "x"}); err != nil { // the analyzer itself is made once
		t.Fatal(err)
	}
	before := heap()
	if _, err := s.Search(t.Context(), memory.Query{Text: "茶"}); err != nil {
		t.Fatal(err)
	}
	got := (heap() - before) >> 10
	runtime.KeepAlive(s)
	t.Logf("the index of 300 items takes %d KiB", got)
	if got > 100 {
		t.Errorf("the index of 300 items takes %d KiB, want at most 100", got)
	}
}
