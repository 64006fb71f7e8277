package memory

import (
	"crypto/sha256"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// The original keeps a day's items in one Markdown file, each as
//
//	\n## <ISO>\n- **类型**: <t>\n- **重要性**: <i>\n- **标签**: <a, b>|无\n\n<content>\n
//
// A file is taken apart into pieces that join to exactly its bytes, whatever
// somebody wrote into it by hand; a piece that we would not write just so keeps
// its own bytes.

// isoTime is what JavaScript's toISOString writes.
const isoTime = "2006-01-02T15:04:05.000Z"

var entryHead = regexp.MustCompile(`(?:\A|\n)## (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\r?\n` +
	`- \*\*类型\*\*: ([^\r\n]*)\r?\n- \*\*重要性\*\*: ([^\r\n]*)\r?\n- \*\*标签\*\*: ([^\r\n]*)\r?\n\r?\n`)

// piece is one entry of a day file: what it says, and its bytes.
type piece struct {
	item Item // without an id
	raw  string
}

// writeEntry gives the bytes that stand for an item in a day file.
func writeEntry(i Item) string {
	return "\n## " + i.Timestamp.String() + "\n" + properties(i) + "\n" + i.Content + "\n"
}

// properties is the list that day file and export have in common.
func properties(i Item) string {
	tags := strings.Join(i.Tags, ", ")
	if tags == "" {
		tags = "无"
	}
	return "- **类型**: " + i.Type + "\n- **重要性**: " + i.Importance + "\n- **标签**: " + tags + "\n"
}

// parseDay takes a file apart. What stands before the first entry, or a file
// without any, is one item, as the original loaded it: an event of medium
// importance with the tags long-term and the file's name, of the time at.
// Joining the raws gives body, unless all of it is blank: then there is nothing.
func parseDay(name, body string, at time.Time) []piece {
	heads := slices.DeleteFunc(entryHead.FindAllStringSubmatchIndex(body, -1), func(m []int) bool {
		_, err := time.Parse(isoTime, body[m[2]:m[3]])
		return err != nil
	})
	starts := make([]int, 0, len(heads)+1)
	for _, m := range heads {
		starts = append(starts, m[0])
	}
	starts = append(starts, len(body))

	var pieces []piece
	before := body[:starts[0]]
	if !blank(before) {
		pieces = append(pieces, piece{note(name, before, at), before})
		before = ""
	}
	for n, m := range heads {
		item := entryItem(body, m, starts[n+1])
		pieces = append(pieces, piece{item, before + body[m[0]:starts[n+1]]})
		before = ""
	}
	return pieces
}

// blank says that a text has nothing to remember; a byte order mark is nothing.
func blank(text string) bool { return strings.Trim(text, " \t\r\n\uFEFF") == "" }

func note(name, text string, at time.Time) Item {
	return Item{
		Timestamp: chat.At(at), Type: TypeEvent, Importance: ImportanceMedium,
		Tags: []string{"long-term", strings.TrimSuffix(name, ".md")}, Content: strings.Trim(text, " \t\r\n\uFEFF"),
	}
}

// entryItem reads the entry whose head matched as m and that goes on until end.
func entryItem(body string, m []int, end int) Item {
	at, _ := time.Parse(isoTime, body[m[2]:m[3]]) // it parsed before
	item := Item{
		Timestamp: chat.At(at), Type: body[m[4]:m[5]], Importance: body[m[6]:m[7]], Tags: []string{},
		Content: strings.TrimSuffix(body[m[1]:end], "\n"),
	}
	if tags := body[m[8]:m[9]]; tags != "无" && tags != "" {
		item.Tags = strings.Split(tags, ", ")
	}
	// A word that the original did not have is kept in the bytes, not in the item.
	if !slices.Contains(types, item.Type) {
		item.Type = TypeEvent
	}
	if !slices.Contains(importances, item.Importance) {
		item.Importance = ImportanceMedium
	}
	return item
}

// stableID derives an id from where and what an imported item is, so that it is
// the same in every import and on every machine.
func stableID(file string, p piece) string {
	sum := sha256.Sum256([]byte(file + "\x00" + p.raw))
	return idOf(p.item.Timestamp, sum[:])
}

// bytesOf gives an item's bytes in its day file.
func (b saved) bytesOf() string {
	if b.Raw != "" {
		return b.Raw
	}
	return writeEntry(b.Item)
}

// fileOf names the day file that an item stands in; "" is none. The original
// did not write what is of low importance.
func (b saved) fileOf() string {
	switch {
	case b.File != "":
		return b.File
	case b.Item.Importance == ImportanceLow:
		return ""
	}
	return b.Item.Timestamp.UTC().Format(time.DateOnly) + ".md"
}

// DayFiles gives the original's memory folder: file names (2026-03-01.md) and
// their bytes. What was imported stands where it stood and as it was; what was
// saved here follows in the order of time.
func (s *Store) DayFiles() map[string][]byte {
	type place struct {
		at   int
		body string
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	placed := map[string][]place{}
	saved := map[string]string{}
	for _, e := range s.entries {
		file := e.fileOf()
		for _, p := range e.Places {
			placed[file] = append(placed[file], place{p, e.bytesOf()})
		}
		if file != "" && len(e.Places) == 0 {
			saved[file] += e.bytesOf()
		}
	}
	files := map[string][]byte{}
	for file, places := range placed {
		slices.SortStableFunc(places, func(a, b place) int { return a.at - b.at })
		for _, p := range places {
			files[file] = append(files[file], p.body...)
		}
	}
	for file, body := range saved {
		files[file] = append(files[file], body...)
	}
	return files
}
