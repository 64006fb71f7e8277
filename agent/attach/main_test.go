package attach_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/loongclaw/loongclaw/agent/attach"
	"github.com/loongclaw/loongclaw/agent/tools/worker"
)

// TestMain makes this test's program a worker when it is started as one.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "worker" {
		os.Exit(worker.Child{
			Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Exit: os.Exit,
			Funcs: map[string]worker.Func{attach.Task: attach.Work},
		}.Main())
	}
	os.Exit(m.Run())
}

// reader makes views in workers that are this test's own program.
func reader(t testing.TB) *attach.Reader {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return attach.NewReader(worker.New(worker.Config{Program: self, Args: []string{"worker"}}))
}

// view gives the view of a file, as an agent makes it.
func view(t testing.TB, body []byte, room int) attach.View {
	t.Helper()
	is := attach.Detect(body)
	if is.Kind == attach.Unknown {
		t.Fatalf("nothing can be read of %.20q", body)
	}
	v, err := reader(t).Read(t.Context(), body, is, room)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(v.Data, []byte("\x00")) && !v.IsImage() {
		t.Error("a text holds what is none")
	}
	return v
}
