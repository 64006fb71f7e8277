package memory_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/memory"
)

// TestDefect4RecallFromASentence: the original recalled only what contained the
// user's whole message.
func TestDefect4RecallFromASentence(t *testing.T) {
	s, _ := newStore(t)
	save(t, s, "用户喜欢喝龙井茶")
	save(t, s, "My dog is called Rex")
	for question, want := range map[string]string{
		"我喜欢喝什么？":               "**相关记忆**:\n- [fact] 用户喜欢喝龙井茶",
		"What's my dog's name?": "**相关记忆**:\n- [fact] My dog is called Rex",
		"今天几号？":                 "",
		"How are you?":          "",
	} {
		prompt, items := s.Recall(t.Context(), question, 200)
		if prompt != want || len(items) != strings.Count(want, "\n") {
			t.Errorf("Recall(%q) = %q with %d items, want %q", question, prompt, len(items), want)
		}
		found, err := s.Search(t.Context(), memory.Query{Text: question})
		if err != nil || (want != "") != (len(found) == 1) {
			t.Errorf("Search(%q) = %q, %v", question, contents(found), err)
		}
	}
}

// TestDefect10StableAfterReload: the original gave every item a new id and time
// at each start, and a day file was one hit.
func TestDefect10StableAfterReload(t *testing.T) {
	s, log := newStore(t)
	save(t, s, "第一件事", "a", "b")
	gone := save(t, s, "忘掉的事")
	if _, err := s.ImportDay(t.Context(), "2025-12-31", []byte(dayTwo)); err != nil {
		t.Fatal(err)
	}
	if err := s.Forget(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	want := s.Recent(100)
	if got := contents(want); len(got) != 3 {
		t.Fatalf("there are %q, want the saved item and the day file's two", got)
	}
	fresh := reload(t, log)
	if diff := cmp.Diff(want, fresh.Recent(100)); diff != "" {
		t.Errorf("after a reload (-want +got):\n%s", diff)
	}
	found, err := fresh.Search(t.Context(), memory.Query{Text: "二号线"})
	if err != nil || len(found) != 1 || found[0].Timestamp.String() != "2025-12-31T09:30:00.000Z" {
		t.Errorf("Search found %+v, %v; want only the second entry, with its own time", found, err)
	}
}

// TestDefect11NoDoubles: the original wrote an item of high importance again
// when it left the short-term list, and files with such doubles exist.
func TestDefect11NoDoubles(t *testing.T) {
	s, _ := newStore(t)
	first, err := s.AutoSave(t.Context(), "default", "请记住我的车牌")
	if err != nil || first.ID == "" {
		t.Fatalf("AutoSave = %+v, %v", first, err)
	}
	for range 150 { // the original's list held 100
		save(t, s, "别的事")
	}
	again, err := s.AutoSave(t.Context(), "default", "请记住我的车牌")
	if err != nil || again.ID != first.ID {
		t.Errorf("AutoSave again = %q, %v; want the first item %q", again.ID, err, first.ID)
	}
	for name, body := range s.DayFiles() {
		if n := strings.Count(string(body), "请记住我的车牌"); n != 1 {
			t.Errorf("%s has the item %d times, want once", name, n)
		}
	}

	old, _ := newStore(t)
	doubled := dayTwo + dayTwo
	if _, err := old.ImportDay(t.Context(), "2025-12-31", []byte(doubled)); err != nil {
		t.Fatal(err)
	}
	if old.Len() != 2 {
		t.Errorf("a file with each entry twice gives %d items, want 2", old.Len())
	}
	if got := string(old.DayFiles()["2025-12-31.md"]); got != doubled {
		t.Errorf("the file comes back as %q, want %q", got, doubled)
	}
}
