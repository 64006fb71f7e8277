package tools

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/loongclaw/loongclaw/agent/files"
	"github.com/loongclaw/loongclaw/agent/guard"
	"github.com/loongclaw/loongclaw/agent/memory"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/plain"
)

// The bounds of one look through a user's files.
const (
	maxLooked  = 5000     // files
	maxListed  = 50_000   // files whose names are looked at
	maxRead    = 64 << 20 // bytes of all files
	lookers    = 4        // files that are read at once, each at most files.MaxFile
	maxPiece   = 4 << 10  // bytes of a line that are looked at together
	maxPerFile = 20       // hits of one file
	maxKept    = 2000     // hits of all
	maxExcerpt = 240      // bytes of a line that are shown
	sniffed    = 8 << 10  // bytes by which a file is taken for text
)

// noText are the endings of files that hold no lines, which need not be read to
// know it.
var noText = func() map[string]bool {
	out := map[string]bool{}
	for e := range strings.FieldsSeq("png jpg jpeg gif webp heic avif ico bmp tif tiff psd mp3 m4a aac ogg opus flac wav mp4 mkv mov avi webm zip gz tgz bz2 xz zst 7z rar jar war whl docx xlsx pptx odt ods odp epub pdf exe dll so dylib a o class pyc wasm woff woff2 ttf otf eot sqlite db bin iso dmg parquet") {
		out["."+e] = true
	}
	return out
}()

// fileHit is a line that a query was found in, or with line 0 a file's name.
type fileHit struct {
	Path string `json:"path"`
	Line int    `json:"line,omitempty"`
	Text string `json:"text,omitempty"`

	match memory.Match
	score float64
}

// look is one search through a user's files.
type look struct {
	matcher *memory.Matcher
	files   Files

	toRead  []files.File // newest first
	unread  int          // files that were left out because there is too much
	noLines int          // files that are no text

	mu     sync.Mutex
	hits   []fileHit
	having []int             // by word: lines and names that have it
	texts  int               // lines and names that were looked at
	inFile map[string]uint64 // the words that each file with a hit has
	more   bool              // hits were left out
}

func newLook(m *memory.Matcher, f Files) *look {
	return &look{matcher: m, files: f, having: make([]int, m.Len()), inFile: map[string]uint64{}}
}

var errEnough = errors.New("tools: enough files")

// list finds what to read below a path, and looks at the names.
func (l *look) list(ctx context.Context, below string) error {
	seen := 0
	err := l.files.Walk(ctx, func(f files.File) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if below != "" && f.Path != below && !strings.HasPrefix(f.Path, below+"/") {
			return nil
		}
		if seen++; seen > maxListed {
			l.more = true
			return errEnough
		}
		l.add(l.name(f.Path))
		switch {
		case f.Size == 0:
		case noText[strings.ToLower(path.Ext(f.Path))]:
			l.noLines++
		default:
			l.toRead = append(l.toRead, f)
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if seen == 0 && below != "" {
		return fault.New(fault.CodeNotFound, "there is no "+below+" in the workspace", "list the folder to see what is there")
	}
	slices.SortStableFunc(l.toRead, func(a, b files.File) int { return b.Modified.Compare(a.Modified) })
	l.bound()
	return nil
}

// bound leaves out what is beyond the bounds, the oldest files.
func (l *look) bound() {
	size := int64(0)
	for i, f := range l.toRead {
		if size += f.Size; i == maxLooked || size > maxRead {
			l.unread = len(l.toRead) - i
			l.toRead = l.toRead[:i]
			return
		}
	}
}

// name is the hit of a file's name.
func (l *look) name(p string) []fileHit {
	words := strings.Map(func(r rune) rune {
		if strings.ContainsRune("/_-.", r) {
			return ' '
		}
		return r
	}, p)
	return []fileHit{{Path: p, match: l.matcher.In(words)}}
}

// read looks through the files, several at once.
func (l *look) read(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan files.File)
	done := make(chan int, lookers)
	for range lookers {
		go func() {
			n := 0
			defer func() { done <- n }()
			for f := range next {
				if err := guard.Run(func() error { return l.readOne(ctx, f) }); err != nil {
					cancel(err)
					return
				}
				n++
			}
		}()
	}
feed:
	for _, f := range l.toRead {
		select {
		case next <- f:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	read := 0
	for range lookers {
		read += <-done
	}
	l.unread += len(l.toRead) - read
	return context.Cause(ctx)
}

func (l *look) readOne(ctx context.Context, f files.File) error {
	body, err := l.files.Read(ctx, f.Path)
	if fault.CodeOf(err) == fault.CodeNotFound {
		return nil // it was deleted in the meantime
	}
	if err != nil {
		return err
	}
	if !isText(body) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.noLines++
		return nil
	}
	var hits []fileHit
	for number := 1; len(body) > 0; number++ {
		line, rest, _ := bytes.Cut(body, []byte("\n"))
		body = rest
		for len(line) > 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			var piece []byte
			piece, line = cutPiece(line)
			hits = append(hits, fileHit{Path: f.Path, Line: number, Text: string(piece), match: l.matcher.In(string(piece))})
			if last := &hits[len(hits)-1]; !last.match.Any() {
				last.Text = ""
			}
		}
		if len(hits) >= 1000 { // lines without a hit only count
			l.add(hits)
			hits = hits[:0]
		}
	}
	l.add(hits)
	return nil
}

// isText reports whether a file holds lines: UTF-8 without NUL.
func isText(body []byte) bool {
	head := body[:min(len(body), sniffed)]
	if bytes.IndexByte(head, 0) >= 0 {
		return false
	}
	for i := 0; i < len(head); {
		r, n := utf8.DecodeRune(head[i:])
		if r == utf8.RuneError && n == 1 {
			return len(body) > len(head) && len(head)-i < utf8.UTFMax // cut in the middle
		}
		i += n
	}
	return true
}

// cutPiece cuts a long line where a word ends, if it can.
func cutPiece(line []byte) (piece, rest []byte) {
	if len(line) <= maxPiece {
		return line, nil
	}
	at := bytes.LastIndexByte(line[:maxPiece], ' ')
	if at < maxPiece/2 {
		for at = maxPiece; at > 0 && !utf8.RuneStart(line[at]); at-- { //nolint:revive // the search is the body
		}
	}
	if at == 0 {
		at = maxPiece
	}
	return line[:at], line[at:]
}

// add takes in what was looked at.
func (l *look) add(looked []fileHit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	mine := map[string]int{}
	l.texts += len(looked)
	for _, h := range looked {
		if !h.match.Any() {
			continue
		}
		for w := range l.having {
			if h.match.Words&(1<<w) != 0 {
				l.having[w]++
			}
		}
		l.inFile[h.Path] |= h.match.Words
		if mine[h.Path]++; mine[h.Path] > 10*maxPerFile {
			l.more = true
			continue
		}
		l.hits = append(l.hits, h)
	}
	if len(l.hits) > 2*maxKept {
		l.more = true
		slices.SortStableFunc(l.hits, func(a, b fileHit) int {
			return cmp.Or(cmp.Compare(rank(b.match), rank(a.match)), cmp.Compare(b.match.Count(), a.match.Count()))
		})
		l.hits = slices.Clip(l.hits[:maxKept])
	}
}

// rank puts what has the query as it stands before what has some of its words.
func rank(m memory.Match) int {
	if m.Whole {
		return 1
	}
	return 0
}

// excerpt returns the part of a line that has the most of the query in it.
func excerpt(line string, m *memory.Matcher) string {
	line = strings.ToValidUTF8(line, "\uFFFD")
	if len(line) <= maxExcerpt {
		return strings.TrimSpace(plain.Clean(line))
	}
	best, most := 0, -1
	for from := 0; from < len(line); from += maxExcerpt / 2 {
		for from < len(line) && !utf8.RuneStart(line[from]) {
			from++
		}
		part := m.In(cut(line[from:], maxExcerpt))
		if value := 100*rank(part) + 2*part.Count() + map[bool]int{true: 1}[part.Part]; value > most {
			best, most = from, value
		}
	}
	out := strings.TrimSpace(plain.Clean(cut(line[best:], maxExcerpt)))
	if best > 0 {
		out = "…" + out
	}
	if best+maxExcerpt < len(line) {
		out += "…"
	}
	return out
}

// best gives the hits in order: those with the whole query first, then by how much
// the words of a line say, those of the rest of its file a little.
func (l *look) best(limit int) []fileHit {
	weights := make([]float64, len(l.having))
	for w := range weights {
		weights[w] = l.matcher.Weight(w, l.having[w], l.texts)
	}
	for i := range l.hits {
		h := &l.hits[i]
		for w, weight := range weights {
			switch bit := uint64(1) << w; {
			case h.match.Words&bit != 0:
				h.score += weight
			case l.inFile[h.Path]&bit != 0:
				h.score += weight / 4
			}
		}
	}
	slices.SortStableFunc(l.hits, func(a, b fileHit) int {
		return cmp.Or(cmp.Compare(rank(b.match), rank(a.match)), cmp.Compare(b.score, a.score), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line))
	})
	var out []fileHit
	mine := map[string]int{}
	for _, h := range l.hits {
		if mine[h.Path]++; mine[h.Path] > maxPerFile {
			l.more = true
			continue
		}
		if len(out) == limit {
			l.more = true
			break
		}
		h.Text = excerpt(h.Text, l.matcher)
		out = append(out, h)
	}
	return out
}

// note says what was not looked at, and that there is more.
func (l *look) note() string {
	note := ""
	if l.more {
		note += "\n[there is more; use more words, or a path]"
	}
	if l.unread > 0 {
		note += fmt.Sprintf("\n[%d files were not looked through, which would have been too much at once; name a folder as path]", l.unread)
	}
	if l.noLines > 0 {
		note += fmt.Sprintf("\n[%d files that hold no text were left out]", l.noLines)
	}
	return note
}
