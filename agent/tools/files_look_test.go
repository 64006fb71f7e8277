package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/files"
)

// slowFiles are many, of which few are read in time.
type slowFiles struct {
	Files
	count int
	reads atomic.Int32
}

func (s *slowFiles) Walk(_ context.Context, fn func(files.File) error) error {
	for i := range s.count {
		if err := fn(files.File{Path: fmt.Sprintf("f%d", i), Size: 10, Modified: time.Unix(int64(i), 0)}); err != nil {
			return err
		}
	}
	return nil
}

func (s *slowFiles) Read(ctx context.Context, _ string) ([]byte, error) {
	if s.reads.Add(1) <= 8 {
		return []byte("the needle\n"), nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// What was found in time is a result, and what was not looked through is said.
func TestASearchThatIsOutOfTimeGivesWhatItHas(t *testing.T) {
	s := &slowFiles{count: 100}
	out, err := filesSearch{room: 30 << 10, time: 300 * time.Millisecond}.Run(t.Context(), json.RawMessage(`{"query":"needle"}`), Env{Files: s})
	if err != nil || !strings.Contains(out, `"path":"f99"`) || !strings.Contains(out, "92 files were not looked through") {
		t.Errorf("%q, %v", out, err)
	}
}

func TestLongLinesAreCutBetweenWords(t *testing.T) {
	for _, line := range []string{strings.Repeat("word ", 5000), strings.Repeat("熊", 9000), strings.Repeat("x", 20_000), strings.Repeat("\xff", 20_000), strings.Repeat("\x80", 5000)} {
		rest, all := []byte(line), ""
		for len(rest) > 0 {
			var piece []byte
			piece, rest = cutPiece(rest)
			if len(piece) == 0 || len(piece) > maxPiece {
				t.Fatalf("%.8q: a piece of %d bytes", line, len(piece))
			}
			if strings.HasPrefix(line, "word") && len(rest) > 0 && !strings.HasSuffix(string(piece), "word") {
				t.Fatalf("a word was cut: %q", piece[len(piece)-10:])
			}
			all += string(piece)
		}
		if all != line {
			t.Errorf("%.8q: the pieces are another text", line)
		}
	}
}

func (*slowFiles) Foreign(context.Context) (files.Foreign, error) { return files.Foreign{}, nil }
