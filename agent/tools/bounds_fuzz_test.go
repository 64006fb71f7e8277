package tools

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/tools/process"
	"github.com/loongclaw/loongclaw/agent/tools/shell"
	"github.com/loongclaw/loongclaw/agent/tools/webpage"
	"github.com/loongclaw/loongclaw/agent/tools/worker"
)

// What a task may take here, and how long the agent may wait for it: a busy
// machine is slow to start and to end a process, so that much is added.
const (
	boundTime   = 400 * time.Millisecond
	boundMemory = 128 << 20
	boundWait   = boundTime + 5*time.Second
	boundHeap   = 64 << 20 // of the agent itself
)

// held does a task and fails when its bounds did not hold in this process.
func held(t *testing.T, task worker.Task) []byte {
	t.Helper()
	task.Time, task.Memory = boundTime, boundMemory
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	out, err := OwnWorker(t).Run(context.Background(), task)
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	if took > boundWait {
		t.Fatalf("it took %v", took)
	}
	if grown := int64(after.HeapInuse) - int64(before.HeapInuse); grown > boundHeap { //nolint:gosec // sizes of this process
		t.Fatalf("the agent itself grew by %d bytes", grown)
	}
	if errors.Is(err, worker.ErrFailed) {
		t.Fatalf("it failed inside: %v", err)
	}
	if n := process.Running(); n != 0 {
		t.Fatalf("%d workers were left", n)
	}
	return out
}

// spent is the time of processors that this process has had. What a busy machine
// makes it wait for is no part of it.
func spent(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// repeated is s so many times, in at most the size of the largest page.
func repeated(s string, n uint32) string {
	if s == "" {
		return ""
	}
	return strings.Repeat(s, min(int(n), webpage.MaxBody/2/len(s)))
}

// FuzzPage turns pages into text: one text so many times, then another.
func FuzzPage(f *testing.F) {
	f.Add("<h1>Honey</h1>", uint32(1), "<p>and <b>bears</b>, <a href='/x?y'>more</a>", uint32(3), "text/html")
	f.Add("<blockquote>", uint32(500), "x<br>", uint32(40_000), "text/html; charset=utf-8")
	f.Add("[", uint32(2_000_000), "", uint32(0), "text/html")
	f.Add("<ul><li>", uint32(250), "x<br>", uint32(400_000), "text/html")
	f.Add("<a>", uint32(700_000), "", uint32(0), "text/html")
	f.Add("<em>", uint32(500), "x <br>", uint32(300_000), "text/html")
	f.Add("<a><table><a>", uint32(150_000), "", uint32(0), "text/html")
	f.Add("<table><tr><td colspan=1000000000 rowspan=1000000000>", uint32(3), "<td>y", uint32(2000), "text/html")
	f.Add("<a href='/", uint32(1), "a?b=c'>x</a><a href='/", uint32(90_000), "text/html")
	f.Add("\x81\x30\x81\x30", uint32(500_000), "", uint32(0), "text/html; charset=gb18030")
	f.Add("\x1b$B\x1b(B", uint32(300_000), "", uint32(0), "text/html; charset=iso-2022-jp")
	f.Add("a\n", uint32(1_000_000), "", uint32(0), "text/plain")
	f.Fuzz(func(t *testing.T, first string, n uint32, second string, m uint32, contentType string) {
		const room = 30 << 10
		input, err := webpage.Request{URL: "https://example.org/dir/page", ContentType: contentType, Room: room, Body: []byte(repeated(first, n) + repeated(second, m))}.Encode()
		if err != nil {
			t.Fatal(err)
		}
		out := held(t, worker.Task{Name: taskPage, Input: input, Output: webpage.MaxResult(room)})
		var page webpage.Text
		if out != nil && json.Unmarshal(out, &page) != nil || len(page.Text) > room {
			t.Fatalf("%d bytes of result, %d of text", len(out), len(page.Text))
		}
	})
}

// FuzzUnaskedLine runs lines that are judged to run unasked: one text, then
// another so many times.
func FuzzUnaskedLine(f *testing.F) {
	for _, c := range []struct {
		line, more string
		n          uint16
	}{
		{"cat a | sort -n | uniq -c", "", 0},
		{"seq -9000000000000000000 9000000000000000000", "", 0},
		{"seq 1 9000000000000000000 9223372036854775807", "", 0},
		{"echo {1..200000000}", "", 0},
		{"echo ", "{1..99}", 6},
		{"printf '", "%9999d", 1500},
		{"printf '%s' ", "*", 1000},
		{"tr 一-巿", "一-巿", 1000},
		{"cat n n n n n n n | sort | tail -n 1", "", 0},
		{"cat n n n n n n n | tac", "", 0},
		{"cat n n n n n n n | sort -n", "", 0},
		{"cat n n n n n n n | nl | uniq -c", "", 0},
		{"cat n | tail -n 99999999", "", 0},
		{"grep -E '(((a{0,30}){0,30}){0,1}){0,1}b' n", "", 0},
		{"cat n | cut -c 1", ",1", 5000},
		{"[[ $(cat n n n) =~ ((a*)*)*b ]]", "", 0},
		{"[[ aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa == ", "*a", 200},
		{"ls ", "*/", 30},
		{"echo ", "*", 3000},
		{"for f in $(seq 100000); do cat n; done", "", 0},
		{"echo ", "$(cat n)", 8},
		{"", "(", 8000},
		{"echo ", "$((", 4000},
		{"", "[[ ! ", 3000},
		{"cat <<E\n", "x\n", 5000},
		{"sleep 100", "", 0},
	} {
		f.Add(c.line, c.more, c.n)
	}
	f.Fuzz(func(t *testing.T, line, more string, n uint16) {
		if len(more) > 0 {
			line += strings.Repeat(more, min(int(n), 16<<10/len(more)))
		}
		before := spent(t)
		kind := shell.Judge(line).Kind
		if took := spent(t) - before; took > 2*time.Second {
			t.Fatalf("to judge %d bytes took %v of the processor", len(line), took)
		}
		if kind != shell.Plain {
			return
		}
		dir := t.TempDir()
		for name, body := range map[string]string{"a": "1:b:c\n2\n", "n": strings.Repeat("\n", 4<<20)} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		input, err := json.Marshal(shell.Job{Command: line, Plain: true, Dir: dir, Path: "/none", Timeout: boundTime, MaxOutput: 4096})
		if err != nil {
			t.Fatal(err)
		}
		held(t, worker.Task{Name: taskShell, Input: input, Grace: 200 * time.Millisecond, Output: 12*4096 + 64<<10})
	})
}
