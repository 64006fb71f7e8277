package memory

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// What an import may bring. A day file beyond MaxDayFile is no memory.
const (
	MaxDayFile  = 4 << 20
	MaxImport   = 16 << 20 // of a tar, headers and padding included
	MaxTarFiles = 10_000
	maxName     = 120
)

// batch is how much one append of an import takes: an import that is cut off
// loses at most what was not acknowledged, and can simply be sent again.
const (
	batchRecords = 256
	batchBytes   = 1 << 20
)

// Imported says what an import did.
type Imported struct {
	Files   int `json:"files"`   // day files read
	Saved   int `json:"saved"`   // items that are new
	Known   int `json:"known"`   // items that were there before
	Skipped int `json:"skipped"` // files that are no part of a memory folder
}

// dayFile is one file to import.
type dayFile struct {
	name string
	body string
	at   time.Time // of what has no time of its own
}

// ImportDay takes in one of the original's day files. Each of its entries
// becomes an item with the entry's own time and an id made of its content;
// importing it again, or a longer version of it, adds only what is new.
func (s *Store) ImportDay(ctx context.Context, date string, body []byte) (Imported, error) {
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return Imported{}, invalid("the day "+quote(date)+" is not a date", "name it as 2026-03-01")
	}
	f, err := newDayFile(date+".md", body, time.Time{})
	if err != nil {
		return Imported{}, err
	}
	return s.importFiles(ctx, []dayFile{f})
}

// Import takes in an original memory folder as a tar: its .md files, at the top
// or in a folder named memory. Everything is read and checked before anything
// is kept. Nothing is unpacked to a disk; a name that leaves the folder, a link
// or a device is refused all the same, since no honest tar has it.
func (s *Store) Import(ctx context.Context, r io.Reader) (Imported, error) {
	files, skipped, err := readTar(ctx, r)
	if err != nil {
		return Imported{}, err
	}
	done, err := s.importFiles(ctx, files)
	done.Skipped = skipped
	return done, err
}

func newDayFile(name string, body []byte, at time.Time) (dayFile, error) {
	switch {
	case len(name) > maxName || strings.ContainsFunc(name, unicode.IsControl) || !utf8.ValidString(name):
		return dayFile{}, invalid("the file name "+quote(name)+" is too long or not plain text", "rename it")
	case len(body) > MaxDayFile:
		return dayFile{}, tooLarge("the file "+quote(name)+" is longer than 4 MiB", "split it")
	case !utf8.Valid(body):
		return dayFile{}, invalid("the file "+quote(name)+" is not UTF-8", "convert it: iconv -t UTF-8")
	}
	if day, err := time.Parse(time.DateOnly, strings.TrimSuffix(name, ".md")); err == nil {
		at = day
	}
	if at.Year() < 1970 || at.Year() > 9999 { // a tar may claim any time; this one has no form on the wire
		at = time.Unix(0, 0)
	}
	return dayFile{name, string(body), at}, nil
}

func tooLarge(message, hint string) error { return fault.New(fault.CodeTooLarge, message, hint) }

const tarHint = "send a plain tar of the memory folder: tar -c memory | curl --data-binary @- …"

func readTar(ctx context.Context, r io.Reader) (files []dayFile, skipped int, err error) {
	limited := &io.LimitedReader{R: r, N: MaxImport + 1}
	t := tar.NewReader(limited)
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return nil, 0, context.Cause(ctx)
		}
		head, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			if n == 0 {
				return nil, 0, invalid("the tar is empty", tarHint)
			}
			return files, skipped, nil
		case n >= MaxTarFiles:
			return nil, 0, tooLarge(fmt.Sprintf("the tar has more than %d files", MaxTarFiles), tarHint)
		case err != nil:
			return nil, 0, tarFault(err, limited)
		}
		use, err := wanted(head)
		switch {
		case err != nil:
			return nil, 0, err
		case !use:
			if head.Typeflag != tar.TypeDir {
				skipped++
			}
			continue
		}
		f, err := readDayFile(t, head, limited)
		if err != nil {
			return nil, 0, err
		}
		files = append(files, f)
	}
}

func tarFault(cause error, limited *io.LimitedReader) error {
	if limited.N <= 0 {
		return tooLarge("the tar is longer than 16 MiB", "send the folder in parts")
	}
	return fault.Wrap(cause, fault.CodeInvalidRequest, "the body is not a whole tar", tarHint)
}

// wanted reports whether a file of the tar is part of a memory folder.
func wanted(head *tar.Header) (bool, error) {
	name := strings.TrimPrefix(head.Name, "./")
	clean := path.Clean(name)
	switch {
	case path.IsAbs(name) || strings.ContainsAny(name, "\\\x00") || slices.Contains(strings.Split(name, "/"), ".."):
		return false, invalid("the tar's file "+quote(head.Name)+" leaves the folder", tarHint)
	case head.Typeflag == tar.TypeDir || head.Typeflag == tar.TypeXGlobalHeader:
		return false, nil
	case head.Typeflag != tar.TypeReg:
		return false, invalid("the tar's "+quote(head.Name)+" is a link or a device", tarHint)
	}
	dir, base := path.Dir(clean), path.Base(clean)
	// A base of ._… is what macOS writes beside each file.
	return (dir == "." || path.Base(dir) == "memory") && strings.HasSuffix(base, ".md") && !strings.HasPrefix(base, "."), nil
}

func readDayFile(t *tar.Reader, head *tar.Header, limited *io.LimitedReader) (dayFile, error) {
	if head.Size > MaxDayFile {
		return dayFile{}, tooLarge("the file "+quote(head.Name)+" is longer than 4 MiB", "split it")
	}
	body, err := io.ReadAll(t)
	if err != nil {
		return dayFile{}, tarFault(err, limited)
	}
	return newDayFile(path.Base(path.Clean(head.Name)), body, head.ModTime)
}

// importFiles appends what is new in the files.
func (s *Store) importFiles(ctx context.Context, files []dayFile) (Imported, error) {
	if err := s.takeTurn(ctx); err != nil {
		return Imported{}, err
	}
	defer s.endTurn()
	done := Imported{Files: len(files)}
	var fresh []saved
	bytes := 0
	known := s.knownEntries()
	for _, f := range files {
		for _, b := range known.merge(f, &done) {
			fresh = append(fresh, b)
			bytes += len(b.Item.Content) + len(b.Raw)
		}
	}
	if err := s.room(done.Saved, bytes); err != nil {
		return Imported{}, err
	}
	return done, s.appendAll(ctx, fresh)
}

// entryKey is what makes two entries the same: their file and their bytes.
type entryKey struct{ file, raw string }

type entrySet map[entryKey]saved

func (s *Store) knownEntries() entrySet {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := make(entrySet, len(s.entries))
	for _, e := range s.entries {
		if file := e.fileOf(); file != "" {
			known[entryKey{file, e.bytesOf()}] = e.saved
		}
	}
	return known
}

// merge takes a file's entries into the set and gives those that must be
// written: new ones, and known ones that stand in places not known yet.
func (k entrySet) merge(f dayFile, done *Imported) []saved {
	var order []entryKey
	seen, changed := map[entryKey]bool{}, map[entryKey]bool{}
	for at, p := range parseDay(f.name, f.body, f.at) {
		key := entryKey{f.name, p.raw}
		b, known := k[key]
		switch {
		case !known:
			b = saved{Item: p.item, File: f.name}
			b.Item.ID = stableID(f.name, p)
			if writeEntry(p.item) != p.raw {
				b.Raw = p.raw
			}
			done.Saved++
		case !seen[key]:
			done.Known++
		}
		// What was saved here has no place: it follows what was imported.
		if places := union(slices.Clone(b.Places), []int{at}); b.File != "" && len(places) != len(b.Places) {
			b.Places = places
			if !changed[key] {
				order = append(order, key)
			}
			changed[key] = true
		}
		seen[key] = true
		k[key] = b
	}
	fresh := make([]saved, 0, len(order))
	for _, key := range order {
		fresh = append(fresh, k[key])
	}
	return fresh
}

// appendAll writes items in batches that the journal can hold.
func (s *Store) appendAll(ctx context.Context, items []saved) error {
	var records []journal.Record
	bytes := 0
	flush := func() error {
		if len(records) == 0 {
			return nil
		}
		err := s.log.Append(ctx, records...)
		records, bytes = nil, 0
		return err
	}
	for _, b := range items {
		rec, err := record(RecordSaved, b)
		if err != nil {
			return err
		}
		if len(records) == batchRecords || bytes+len(rec.Body) > batchBytes {
			if err := flush(); err != nil {
				return err
			}
		}
		records = append(records, rec)
		bytes += len(rec.Body)
	}
	return flush()
}
