package chat

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

var cursors = []Cursor{
	{Epoch: 1},
	{Epoch: 1, Seq: 1},
	{Epoch: 1, Seq: 127},
	{Epoch: 1, Seq: 128},
	{Epoch: 2, Seq: 9, Answer: 1},
	{Epoch: 2, Seq: 9, Answer: 1, Offset: 300},
	{Epoch: 1 << 40, Seq: 1 << 50, Answer: 1 << 60, Offset: 1 << 33},
	{Epoch: math.MaxUint64, Seq: math.MaxUint64, Answer: math.MaxUint64, Offset: math.MaxUint64},
}

func TestCursorsComeBack(t *testing.T) {
	for _, want := range cursors {
		for _, session := range []string{"work", "默认 session", strings.Repeat("x", MaxID)} {
			s := want.Encode(session)
			if strings.ContainsAny(s, "+/= \n") {
				t.Errorf("%+v: %q cannot stand in a URL as it is", want, s)
			}
			if got, err := ParseCursor(session, s); err != nil || got != want {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
		}
	}
}

// Clients keep cursors for ever: these were given out, so they must be read.
func TestCursorsOfTheFirstReleaseAreStillRead(t *testing.T) {
	for s, want := range map[string]Cursor{
		"":                                {},
		"AQDhPtcAAAAAAAAAAQQ":             {Epoch: 1, Seq: 4},
		"AQDhPtcAAAAAAAAAAwkHrAI":         {Epoch: 3, Seq: 9, Answer: 7, Offset: 300},
		"AQDhPtcAAAAAAAAAAf___________wE": {Epoch: 1, Seq: math.MaxUint64},
	} {
		if got, err := ParseCursor("work", s); err != nil || got != want {
			t.Errorf("%q: got %+v, %v, want %+v (now %q)", s, got, err, want, want.Encode("work"))
		}
	}
}

func TestACursorOfAnOldLifeIsReadAsSuch(t *testing.T) {
	old := Cursor{Epoch: 3, Seq: 40}
	got, err := ParseCursor("work", old.Encode("work"))
	if err != nil || got.Epoch != 3 {
		t.Errorf("got %+v, %v: whoever follows must see that its life has ended", got, err)
	}
}

func TestForeignCursorsAreRefused(t *testing.T) {
	s := Cursor{Epoch: 1, Seq: 4}.Encode("work")
	for _, session := range []string{"", "Work", "work ", "default"} {
		_, err := ParseCursor(session, s)
		if fault.CodeOf(err) != fault.CodeInvalidCursor || !strings.Contains(err.Error(), "another session") {
			t.Errorf("%q: got %v", session, err)
		}
		if err != nil && strings.Contains(err.Error(), s) {
			t.Errorf("the error repeats what came in: %v", err)
		}
	}
}

// raw makes a cursor's string of the session "work" out of an epoch and what
// follows it.
func raw(version byte, rest ...byte) string {
	b := append([]byte{version}, sessionMark("work")...)
	b = binary.BigEndian.AppendUint64(b, 1)
	return base64.RawURLEncoding.EncodeToString(append(b, rest...))
}

func TestBadCursors(t *testing.T) {
	good := Cursor{Epoch: 1, Seq: 300, Answer: 2, Offset: 300}.Encode("work")
	bad := map[string]string{
		"text":                   "not a cursor",
		"padded":                 raw(1, 4) + "=",
		"standard alphabet":      strings.Replace(raw(1, 0xff, 0xff, 0xff, 0x3f), "_", "/", 1),
		"another version":        raw(2, 4),
		"version 0":              raw(0, 4),
		"no number":              raw(1),
		"two numbers":            raw(1, 4, 2),
		"four numbers":           raw(1, 4, 2, 3, 4),
		"offset of no answer":    raw(1, 4, 0, 3),
		"unfinished number":      raw(1, 0x80),
		"number of 11 bytes":     raw(1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1),
		"number beyond 64 bits":  raw(1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02),
		"a long one":             strings.Repeat("A", 1<<20),
		"a space in it":          good[:5] + " " + good[5:],
		"a line break in it":     good[:5] + "\n" + good[5:],
		"bits that mean nothing": raw(1, 4)[:len(raw(1, 4))-1] + "B",
	}
	for i := 1; i < len(good); i++ {
		bad["cut at "+good[:i]] = good[:i]
	}
	for name, s := range bad {
		got, err := ParseCursor("work", s)
		if name == "cut at "+good[:len(raw(1, 0xac, 0x02))] && err == nil {
			continue // the place before the open answer: an earlier, honest cursor
		}
		if fault.CodeOf(err) != fault.CodeInvalidCursor || got != (Cursor{}) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func FuzzCursor(f *testing.F) {
	for _, c := range cursors {
		f.Add("work", c.Encode("work"), c.Epoch, c.Seq, c.Answer, c.Offset)
	}
	f.Add("", raw(1, 0x80, 0x00), uint64(0), uint64(0), uint64(0), uint64(1))
	f.Fuzz(func(t *testing.T, session, s string, epoch, seq, answer, offset uint64) {
		if c, err := ParseCursor(session, s); err == nil {
			if again, err := ParseCursor(session, c.Encode(session)); s != "" && (err != nil || again != c) {
				t.Fatalf("%q: got %+v and, written again, %+v, %v", s, c, again, err)
			}
		} else if fault.CodeOf(err) != fault.CodeInvalidCursor {
			t.Fatalf("%q: got %v", s, err)
		}
		want := Cursor{Epoch: epoch, Seq: seq, Answer: answer, Offset: offset}
		if answer == 0 {
			want.Offset = 0 // without an answer there is no place in it
		}
		if got, err := ParseCursor(session, Cursor{Epoch: epoch, Seq: seq, Answer: answer, Offset: offset}.Encode(session)); err != nil || got != want {
			t.Fatalf("got %+v, %v, want %+v", got, err, want)
		}
	})
}
