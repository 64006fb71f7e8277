package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/sqlite"
)

// filled is a closed database, and what is in it.
func filled(t *testing.T) (path string, want map[string][]byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "a.db")
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	want = map[string][]byte{}
	for i := range 400 {
		key := fmt.Sprintf("u/user%d/s/main/000001/log/%012d", i%7, i)
		want[key] = bytes.Repeat([]byte(key), 1+i%40)
		if _, err := s.Create(t.Context(), key, want[key]); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("a log is left after Close: %v", err)
	}
	return path, want
}

// readAll reads what a database holds, by listing it and getting each object.
func readAll(path string) (map[string][]byte, error) {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, sqlite.Config{Path: path})
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }()
	got := map[string][]byte{}
	for after, more := "", true; more; {
		var page []bucket.Entry
		if page, more, err = s.List(ctx, "", after, 0); err != nil {
			return nil, err
		}
		for _, e := range page {
			o, err := s.Get(ctx, e.Key)
			if err != nil {
				return nil, err
			}
			got[e.Key], after = o.Body, e.Key
		}
	}
	return got, nil
}

// TestDamageIsNeverSilent changes the file at many places: whatever is hit, either all
// objects are read back as they were written, or an error says so.
func TestDamageIsNeverSilent(t *testing.T) {
	path, want := filled(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dice := rand.New(rand.NewPCG(1, 2))
	noticed := 0
	for try := range 150 {
		broken := bytes.Clone(whole)
		var what string
		at := dice.IntN(len(broken))
		switch try % 5 {
		case 0, 1:
			broken[at] ^= 1 << dice.IntN(8)
			what = fmt.Sprintf("a bit at %d", at)
		case 2: // a page of zeros, as after a lost write
			page := at / 4096 * 4096
			clear(broken[page : page+4096])
			what = fmt.Sprintf("page %d is zeros", page/4096)
		case 3: // a page that was written to another's place
			from, to := dice.IntN(len(broken)/4096)*4096, at/4096*4096
			copy(broken[to:to+4096], whole[from:from+4096])
			what = fmt.Sprintf("page %d is that of %d", to/4096, from/4096)
		case 4: // a page that counts fewer rows than it has, which SQLite believes
			for broken[at/4096*4096] != 0x0a || at < 4096 { // of rows in the order of their keys
				at = dice.IntN(len(broken))
			}
			page := at / 4096 * 4096
			broken[page+4] -= byte(1 + dice.IntN(int(broken[page+4])))
			what = fmt.Sprintf("page %d counts %d rows", page/4096, broken[page+4])
		}
		dir := t.TempDir()
		file := filepath.Join(dir, "b.db")
		if err := os.WriteFile(file, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readAll(file)
		if err != nil {
			noticed++
			continue
		}
		for key, body := range want {
			if !bytes.Equal(got[key], body) {
				t.Errorf("%s: %s is read back as %d bytes of %d, and nobody says so", what, key, len(got[key]), len(body))
				break
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d objects of %d, and nobody says so", what, len(got), len(want))
		}
	}
	if noticed < 50 {
		t.Errorf("only %d of 150 were noticed: the test hits nothing", noticed)
	}
}

func TestWhatTheDatabaseSaysOfItsDamage(t *testing.T) {
	path, _ := filled(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	body := []byte("u/user3/s/main/000001/log/000000000017")
	at := bytes.LastIndex(whole, append(bytes.Clone(body), body...)) // the body, not the key
	whole[at+3] ^= 1
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	if _, err := s.Get(t.Context(), string(body)); !errors.Is(err, bucket.ErrDamaged) || !strings.Contains(err.Error(), string(body)) {
		t.Errorf("Get = %v, want ErrDamaged with the key", err)
	}
	found, err := s.Check(t.Context())
	if err != nil || found.Objects != 399 || len(found.Problems) != 1 || !strings.Contains(found.Problems[0], string(body)) {
		t.Errorf("Check = %+v, %v, want the one object named", found, err)
	}
	// Its neighbours are whole, and new objects are taken.
	if _, err := s.Create(t.Context(), "u/user3/s/main/000001/log/000000000400", nil); err != nil {
		t.Error(err)
	}
}

func TestAFileThatIsNoDatabaseOfOursIsLeftAlone(t *testing.T) {
	for name, c := range map[string]struct {
		write func(t *testing.T, path string)
		want  string
	}{
		"no database at all": {func(t *testing.T, path string) {
			t.Helper()
			if err := os.WriteFile(path, bytes.Repeat([]byte("not a database. "), 1000), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "damaged"},
		"half a header": {func(t *testing.T, path string) {
			t.Helper()
			if err := os.WriteFile(path, []byte("SQLite format 3\x00half"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "damaged"},
		"another program's": {func(t *testing.T, path string) { t.Helper(); run(t, path, "CREATE TABLE bookmarks(a)") }, "another program"},
		"a later version's": {func(t *testing.T, path string) {
			t.Helper()
			if err := open(t, path).Close(); err != nil {
				t.Fatal(err)
			}
			run(t, path, "PRAGMA user_version=2")
		}, "later version"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.db")
			c.write(t, path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
			if err == nil {
				_ = s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Open = %v, want %q", err, c.want)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
				t.Error("the file was changed")
			}
		})
	}
}

// run runs a statement as another program would.
func run(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// TestAFileThatIsTakenAwayIsNoticed: what is written to a file that has no name any
// more would be gone at the next start, and so would what is written to a log that was
// removed.
func TestAFileThatIsTakenAwayIsNoticed(t *testing.T) {
	for _, name := range []string{"", "-wal", "-shm"} {
		path := filepath.Join(t.TempDir(), "a.db")
		s := open(t, path)
		if _, err := s.Create(t.Context(), "a/1", nil); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+name, path+name+".away"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Create(t.Context(), "a/2", nil); err == nil || !strings.Contains(err.Error(), "removed or replaced") {
			t.Errorf("Create without a.db%s: %v, want a refusal", name, err)
		}
		if err := os.Rename(path+name+".away", path+name); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Create(t.Context(), "a/3", nil); err != nil {
			t.Errorf("Create with a.db%s back in its place: %v", name, err)
		}
	}
}
