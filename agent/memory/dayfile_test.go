package memory_test

import (
	"archive/tar"
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/memory"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

const dayTwo = "\n## 2025-12-31T08:00:00.123Z\n- **类型**: decision\n- **重要性**: high\n- **标签**: 工作, db\n\n用 PostgreSQL\n" +
	"\n## 2025-12-31T09:30:00.000Z\n- **类型**: fact\n- **重要性**: medium\n- **标签**: 无\n\n坐地铁二号线\n两行\n"

func TestImportDay(t *testing.T) {
	s, _ := newStore(t)
	got, err := s.ImportDay(t.Context(), "2025-12-31", []byte(dayTwo))
	if want := (memory.Imported{Files: 1, Saved: 2}); err != nil || got != want {
		t.Fatalf("ImportDay = %+v, %v; want %+v", got, err, want)
	}
	items := s.Recent(2)
	at := chat.At(time.Date(2025, 12, 31, 8, 0, 0, 123e6, time.UTC))
	want := memory.Item{
		ID: items[1].ID, Timestamp: at, Type: "decision", Importance: "high",
		Tags: []string{"工作", "db"}, Content: "用 PostgreSQL",
	}
	if diff := cmp.Diff(want, items[1]); diff != "" {
		t.Errorf("the first entry (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"坐地铁二号线\n两行"}, contents(items[:1])); diff != "" {
		t.Errorf("the second entry (-want +got):\n%s", diff)
	}
	other, _ := newStore(t)
	if _, err := other.ImportDay(t.Context(), "2025-12-31", []byte(dayTwo)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(items, other.Recent(2)); diff != "" {
		t.Errorf("another import gives other items (-want +got):\n%s", diff)
	}
}

// TestImportTwiceChangesNothing also grows the file, as a program that is still
// running does.
func TestImportTwiceChangesNothing(t *testing.T) {
	s, log := newStore(t)
	day := func(body string, want memory.Imported) {
		t.Helper()
		got, err := s.ImportDay(t.Context(), "2025-12-31", []byte(body))
		if err != nil || got != want {
			t.Errorf("ImportDay = %+v, %v; want %+v", got, err, want)
		}
	}
	day(dayTwo, memory.Imported{Files: 1, Saved: 2})
	records := len(log.records)
	day(dayTwo, memory.Imported{Files: 1, Known: 2})
	if len(log.records) != records {
		t.Errorf("the second import wrote %d records, want none", len(log.records)-records)
	}
	more := dayTwo + "\n## 2025-12-31T10:00:00.000Z\n- **类型**: thought\n- **重要性**: medium\n- **标签**: 无\n\n新的\n"
	day(more, memory.Imported{Files: 1, Saved: 1, Known: 2})
	more += dayTwo // the original's defect 11 writes entries again
	day(more, memory.Imported{Files: 1, Known: 3})
	for _, store := range []*memory.Store{s, reload(t, log)} {
		if got := string(store.DayFiles()["2025-12-31.md"]); got != more || store.Len() != 3 {
			t.Errorf("the grown file comes back as %q with %d items, want %q with 3", got, store.Len(), more)
		}
	}
}

// TestDayFilesBack: files of every kind come back byte by byte, from the store
// and from one that was loaded from its journal.
func TestDayFilesBack(t *testing.T) {
	for name, body := range map[string]string{
		"by the original": dayTwo,
		"prose":           "今天没什么事\n就这样",
		"prose first":     "# 日记\n" + dayTwo,
		"no last newline": strings.TrimSuffix(dayTwo, "\n"),
		"no first":        strings.TrimPrefix(dayTwo, "\n"),
		"CRLF":            strings.ReplaceAll(dayTwo, "\n", "\r\n"),
		"BOM and blanks":  "\uFEFF \n\n" + dayTwo + "\n\n\n",
		"odd words":       strings.NewReplacer("decision", "决定", "high", "urgent", "工作, db", "a,b ,  c").Replace(dayTwo),
		"no such day":     strings.ReplaceAll(dayTwo, "12-31T", "02-31T"),
		"low":             strings.ReplaceAll(dayTwo, "medium", "low"),
		"another day's":   strings.ReplaceAll(dayTwo, "2025", "2024"),
		"no content":      "\n## 2025-12-31T08:00:00.123Z\n- **类型**: fact\n- **重要性**: high\n- **标签**: 无\n\n\n" + dayTwo,
	} {
		s, log := newStore(t)
		if _, err := s.ImportDay(t.Context(), "2025-12-31", []byte(body)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, store := range []*memory.Store{s, reload(t, log)} {
			got := store.DayFiles()
			if len(got) != 1 || string(got["2025-12-31.md"]) != body {
				t.Errorf("%s: got %q, want %q", name, got, body)
			}
		}
	}
}

// TestExportImportRoundTrip: what was saved here, written as day files, read by
// an empty memory and written again is the same, whatever the items hold.
func TestExportImportRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a repeatable test
	parts := []string{"龙井", "tea", "\n", "## ", "- **类型**: fact\n", "**标签**: 无", "\n\n", "\r\n", " ", "🐻", "\u2028", "<b>", dayTwo}
	pick := func(of []string) string { return of[r.IntN(len(of))] }
	for range 200 {
		s, _ := newStore(t)
		for range 1 + r.IntN(5) {
			content := "x"
			for range r.IntN(6) {
				content += pick(parts)
			}
			_, err := s.Save(t.Context(), memory.Item{
				Content: content, Type: pick([]string{"fact", "event", "decision", "thought"}),
				Importance: pick([]string{"high", "medium"}), Tags: []string{pick([]string{"无", "a, b", "标签", "c"})},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		want := s.DayFiles()
		other, _ := newStore(t)
		got, err := other.Import(t.Context(), bytes.NewReader(tarOf(t, want)))
		if err != nil || got.Files != len(want) {
			t.Fatalf("Import = %+v, %v", got, err)
		}
		if diff := cmp.Diff(want, other.DayFiles()); diff != "" {
			t.Fatalf("day files (-want +got):\n%s", diff)
		}
		before := other.Len()
		again, err := other.Import(t.Context(), bytes.NewReader(tarOf(t, want)))
		if err != nil || again.Saved != 0 || other.Len() != before {
			t.Fatalf("the second Import = %+v, %v; %d items, want %d", again, err, other.Len(), before)
		}
	}
}

// TestImportOwnExport: reading one's own day files back doubles nothing.
func TestImportOwnExport(t *testing.T) {
	s, log := newStore(t)
	save(t, s, "第一件事", "a", "b")
	save(t, s, "第二件事")
	want, records := s.DayFiles(), len(log.records)
	got, err := s.Import(t.Context(), bytes.NewReader(tarOf(t, want)))
	if err != nil || got.Saved != 0 || got.Known != 2 || len(log.records) != records {
		t.Errorf("Import = %+v, %v, with %d records more", got, err, len(log.records)-records)
	}
	if diff := cmp.Diff(want, s.DayFiles()); diff != "" {
		t.Errorf("day files (-want +got):\n%s", diff)
	}
}

func tarOf(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for name, body := range files {
		add(t, w, tar.Header{Name: "memory/" + name, Typeflag: tar.TypeReg}, body)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func add(t testing.TB, w *tar.Writer, head tar.Header, body []byte) {
	t.Helper()
	head.Size, head.Mode = int64(len(body)), 0o600
	if err := w.WriteHeader(&head); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
}

func TestImportTar(t *testing.T) {
	s, _ := newStore(t)
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	add(t, w, tar.Header{Name: "./memory/", Typeflag: tar.TypeDir}, nil)
	add(t, w, tar.Header{Name: "./memory/2025-12-31.md", Typeflag: tar.TypeReg}, []byte(dayTwo))
	add(t, w, tar.Header{Name: "memory/NOTES.md", Typeflag: tar.TypeReg, ModTime: time.Unix(1e9, 0)}, []byte("写下来的\n"))
	add(t, w, tar.Header{Name: "memory/._2025-12-31.md", Typeflag: tar.TypeReg}, []byte("x"))
	add(t, w, tar.Header{Name: "sessions/a.md", Typeflag: tar.TypeReg}, []byte("x"))
	_ = w.Close()
	got, err := s.Import(t.Context(), &out)
	if want := (memory.Imported{Files: 2, Saved: 3, Skipped: 2}); err != nil || got != want {
		t.Fatalf("Import = %+v, %v; want %+v", got, err, want)
	}
	note := s.Recent(3)[2]
	if diff := cmp.Diff([]string{"long-term", "NOTES"}, note.Tags); diff != "" || note.Timestamp.Unix() != 1e9 {
		t.Errorf("the note is %+v", note)
	}
	want := map[string][]byte{"2025-12-31.md": []byte(dayTwo), "NOTES.md": []byte("写下来的\n")}
	if diff := cmp.Diff(want, s.DayFiles()); diff != "" {
		t.Errorf("day files (-want +got):\n%s", diff)
	}
}

func TestImportRefuses(t *testing.T) {
	one := func(head tar.Header, body []byte) []byte {
		var out bytes.Buffer
		w := tar.NewWriter(&out)
		add(t, w, tar.Header{Name: "2025-01-01.md", Typeflag: tar.TypeReg}, []byte("good"))
		add(t, w, head, body)
		_ = w.Close()
		return out.Bytes()
	}
	big := bytes.Repeat([]byte("x"), memory.MaxDayFile+1)
	var huge bytes.Buffer
	w := tar.NewWriter(&huge)
	for range 5 {
		add(t, w, tar.Header{Name: "skipped.bin", Typeflag: tar.TypeReg}, big)
	}
	_ = w.Close()
	whole := one(tar.Header{Name: "2025-01-02.md", Typeflag: tar.TypeReg}, []byte("good"))
	for name, c := range map[string]struct {
		body []byte
		want fault.Code
	}{
		"up":        {one(tar.Header{Name: "memory/../2025-01-01.md", Typeflag: tar.TypeReg}, nil), fault.CodeInvalidRequest},
		"absolute":  {one(tar.Header{Name: "/etc/x.md", Typeflag: tar.TypeReg}, nil), fault.CodeInvalidRequest},
		"backslash": {one(tar.Header{Name: `memory\..\x.md`, Typeflag: tar.TypeReg}, nil), fault.CodeInvalidRequest},
		"link":      {one(tar.Header{Name: "memory/a.md", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink}, nil), fault.CodeInvalidRequest},
		"not UTF-8": {one(tar.Header{Name: "memory/a.md", Typeflag: tar.TypeReg}, []byte("\xff")), fault.CodeInvalidRequest},
		"big file":  {one(tar.Header{Name: "memory/a.md", Typeflag: tar.TypeReg}, big), fault.CodeTooLarge},
		"big tar":   {huge.Bytes(), fault.CodeTooLarge},
		"cut":       {whole[:len(whole)/2], fault.CodeInvalidRequest},
		"no tar":    {[]byte(strings.Repeat("hello ", 200)), fault.CodeInvalidRequest},
		"empty":     {nil, fault.CodeInvalidRequest},
	} {
		s, _ := newStore(t)
		_, err := s.Import(t.Context(), bytes.NewReader(c.body))
		if got := fault.CodeOf(err); got != c.want || s.Len() != 0 {
			t.Errorf("%s: Import says %v with %d items kept, want %s and none", name, err, s.Len(), c.want)
		}
	}
}

func FuzzDayFile(f *testing.F) {
	f.Add(dayTwo)
	f.Add("x" + dayTwo + "\n## 2025-02-30T08:00:00.123Z\n- **类型**: a\n- **重要性**: b\n- **标签**: c\n\n")
	f.Add("\uFEFF\r\n## 2025-12-31T08:00:00.123Z\r\n- **类型**: \r\n- **重要性**: \r\n- **标签**: \r\n\r\n")
	f.Fuzz(func(t *testing.T, body string) {
		s, log := newStore(t)
		if _, err := s.ImportDay(t.Context(), "2025-12-31", []byte(body)); err != nil {
			return
		}
		records := len(log.records)
		if got := string(reload(t, log).DayFiles()["2025-12-31.md"]); got != body && s.Len() > 0 {
			t.Errorf("got %q, want %q", got, body)
		}
		if _, err := s.ImportDay(t.Context(), "2025-12-31", []byte(body)); err != nil || len(log.records) != records {
			t.Errorf("importing %q twice wrote %d records more (%v)", body, len(log.records)-records, err)
		}
		if _, err := s.Search(t.Context(), memory.Query{Text: body}); err != nil {
			t.Error(err)
		}
	})
}
