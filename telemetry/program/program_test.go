package program

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

func TestVersion(t *testing.T) {
	if got := Version("v1.2.3"); got != "v1.2.3" {
		t.Errorf("got %q", got)
	}
	if got := Version(""); !strings.HasPrefix(got, "dev") {
		t.Errorf("got %q, want a version of its own for what is no release", got)
	}
}

// A line has the cause of an error, which clients do not read, and no secret.
func TestALineHasTheCauseAndNoSecret(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		var out bytes.Buffer
		log := Log{Level: slog.LevelInfo, Format: format, Secrets: []string{"hunter2-hunter2"}}.Logger(&out)
		log.Debug("not shown")
		log.Warn("request failed", "error", fault.Wrap(errors.New("the disk is full: hunter2-hunter2"), fault.CodeInternal, "internal error", ""))
		got := out.String()
		if !strings.Contains(got, "the disk is full: [secret]") || strings.Contains(got, "not shown") || (format == "json") != strings.HasPrefix(got, "{") {
			t.Errorf("%s: got %s", format, got)
		}
	}
}

func TestALogFileThatCannotBe(t *testing.T) {
	if _, err := OpenLogFile(filepath.Join(t.TempDir(), "none", "log")); err == nil || !strings.Contains(err.Error(), "LOG_FILE: ") || !strings.Contains(err.Error(), "\nNext: ") {
		t.Errorf("got %v", err)
	}
}

func TestTheAdminListener(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop := ServeAdmin(ln, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "metrics") }), slog.New(slog.DiscardHandler))
	ask := func() (string, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+ln.Addr().String(), nil)
		if err != nil {
			return "", err
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return "", err
		}
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		return string(b), err
	}
	if got, err := ask(); err != nil || got != "metrics" {
		t.Errorf("got %q, %v", got, err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if got, err := ask(); err == nil {
		t.Errorf("it answers %q after its end", got)
	}
}
