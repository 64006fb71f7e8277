package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// Processes that share a database, and what each of them does.
const (
	processes = 3
	steps     = 40
	claims    = 60
)

// TestProcessesShareOneFile lets several processes write into one database: none of
// their replacements is lost, and each object that all of them create has one creator.
func TestProcessesShareOneFile(t *testing.T) {
	if wrong := together(t, "", time.Minute); len(wrong) > 0 {
		t.Errorf("several processes on one file: %s", strings.Join(wrong, "; "))
	}
}

// TestProcessesWithoutLocksAreNoticed: with SQLite's locks left out, the same shows it.
func TestProcessesWithoutLocksAreNoticed(t *testing.T) {
	if wrong := together(t, recorderName, 10*time.Second); len(wrong) == 0 {
		t.Error("without any lock between processes nothing was wrong")
	}
}

// together runs the processes and says what is wrong in the end. It has nothing open
// meanwhile: what processes without locks make of the memory that they share may hold
// anybody up who looks at it, and so they are given a time.
func together(t *testing.T, vfs string, within time.Duration) (wrong []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.db")
	s, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(t.Context(), "count", []byte("0")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	won := 0
	var said [processes]strings.Builder
	var all []*exec.Cmd
	for i := range processes {
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestOneOfSeveralProcesses$") //nolint:gosec // this test itself
		cmd.Env = append(os.Environ(), "SQLITE_TEST_PATH="+path, "SQLITE_TEST_VFS="+vfs)
		cmd.Stdout = &said[i]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		all = append(all, cmd)
	}
	for i, cmd := range all {
		if err := cmd.Wait(); err != nil {
			wrong = append(wrong, fmt.Sprintf("process %d: %v: %.300s", i, err, said[i].String()))
		}
		won += strings.Count(said[i].String(), "won claim/")
	}
	if won != claims {
		wrong = append(wrong, fmt.Sprintf("%d objects have %d creators", claims, won))
	}
	if s, err = Open(t.Context(), Config{Path: path}); err != nil {
		return append(wrong, err.Error())
	}
	defer func() { _ = s.Close() }()
	if o, err := s.Get(t.Context(), "count"); err != nil || string(o.Body) != strconv.Itoa(processes*steps) {
		wrong = append(wrong, fmt.Sprintf("the count is %s, %v, want %d", o.Body, err, processes*steps))
	}
	if found, err := s.Check(t.Context()); err != nil || len(found.Problems) > 0 {
		wrong = append(wrong, fmt.Sprintf("Check = %+v, %v", found, err))
	}
	return wrong
}

// TestOneOfSeveralProcesses is what each of them runs. In a run of all tests there is
// nothing for it to do.
func TestOneOfSeveralProcesses(t *testing.T) {
	path := os.Getenv("SQLITE_TEST_PATH")
	if path == "" {
		return
	}
	vfs := os.Getenv("SQLITE_TEST_VFS")
	if vfs != "" {
		record(t).lawless = true
	}
	s, err := Open(t.Context(), Config{Path: path, vfs: vfs})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for i := range max(steps, claims) {
		if i < claims {
			key := fmt.Sprintf("claim/%d", i)
			switch _, err := s.Create(t.Context(), key, []byte("x")); {
			case err == nil:
				fmt.Println("won " + key) //nolint:forbidigo // the other process reads it
			case !errors.Is(err, bucket.ErrExists):
				t.Error(err)
			}
		}
		if i < steps {
			if err := count(t.Context(), s); err != nil {
				t.Error(err)
			}
		}
	}
}

// count adds one to a number in an object.
func count(ctx context.Context, s *Store) error {
	for {
		o, err := s.Get(ctx, "count")
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(o.Body))
		if err != nil {
			return err
		}
		_, err = s.Replace(ctx, "count", []byte(strconv.Itoa(n+1)), o.ETag)
		if !errors.Is(err, bucket.ErrChanged) {
			return err
		}
	}
}

// noLock grants every lock.
func noLock(*libc.TLS, uintptr, int32, int32, int32) int32 { return lib.SQLITE_OK }
