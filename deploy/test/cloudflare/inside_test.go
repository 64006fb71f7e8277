package cloudflare

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
)

// canaries are what an owner gave the Worker and no container may hold.
func canaries() []string {
	all := []string{modelKey, otherKey}
	for _, name := range names {
		all = append(all, fmt.Sprintf(tokenOf, name))
	}
	return all
}

func noSecretInside(t *testing.T, w *world) {
	mine, release := awakeFor(t, w, "gus")
	defer release()
	for what, text := range map[string]string{
		"the container's configuration": mustDocker(t, "inspect", mine),
		"its log":                       mustDocker(t, "logs", mine),
		"its files":                     mustDocker(t, "export", mine),
	} {
		wantNone(t, what, strings.NewReader(text))
	}
	pid := mustDocker(t, "inspect", "--format", "{{.State.Pid}}", mine)
	for _, name := range []string{"environ", "cmdline", "status", "maps"} {
		b, err := os.ReadFile(filepath.Join("/proc", pid, name))
		if err != nil {
			t.Fatalf("this test reads the process from outside, as root: %v", err)
		}
		wantNone(t, "/proc/"+name, bytes.NewReader(b))
	}
	memory(t, pid, func(from uint64, r io.Reader) { wantNone(t, fmt.Sprintf("its memory at %x", from), r) })

	// What a tool in the container would see.
	probe := putProbe(t, mine)
	out := mustDocker(t, "exec", mine, probe, "read")
	wantNone(t, "what a process inside can read", strings.NewReader(out))
	if !strings.Contains(out, "/proc/1/environ:  permission denied") {
		t.Errorf("a process of the same user can read the agent's environment:\n%.2000s", out)
	}
}

// awakeFor is a user's container, kept awake by a run as long as the test.
func awakeFor(t *testing.T, w *world, user string) (container string, release func()) {
	t.Helper()
	before := w.agents(t)
	c := w.user(user)
	r := start(t, c, "a", fakeprovider.Say(user, fakeprovider.Round{Chunks: 2, Gate: user, GateAt: 1}).Message())
	return w.newcomer(t, before), func() {
		w.model.Open(user)
		finish(t, c, client.NewLedger(), r)
	}
}

// wantNone looks for the canaries.
func wantNone(t *testing.T, what string, r io.Reader) {
	t.Helper()
	const overlap = 64
	buf := make([]byte, 1<<20)
	have := 0
	in := bufio.NewReaderSize(r, 1<<20)
	for {
		n, err := in.Read(buf[have:])
		have += n
		for _, c := range canaries() {
			if bytes.Contains(buf[:have], []byte(c)) {
				t.Errorf("%s holds the secret %q", what, c)
				return
			}
		}
		if err != nil {
			return
		}
		if have > overlap {
			copy(buf, buf[have-overlap:have])
			have = overlap
		}
	}
}

// memory reads what a process has written to its memory.
func memory(t *testing.T, pid string, read func(from uint64, r io.Reader)) {
	t.Helper()
	maps, err := os.ReadFile(filepath.Join("/proc", pid, "maps"))
	if err != nil {
		t.Fatal(err)
	}
	mem, err := os.Open(filepath.Join("/proc", pid, "mem")) // #nosec G304 -- a process of this test
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = mem.Close() }()
	total := uint64(0)
	for line := range strings.Lines(string(maps)) {
		f := strings.Fields(line)
		from, to, _ := strings.Cut(f[0], "-")
		a, _ := strconv.ParseUint(from, 16, 64)
		b, _ := strconv.ParseUint(to, 16, 64)
		if !strings.HasPrefix(f[1], "rw") || b-a > 1<<30 {
			continue
		}
		total += b - a
		read(a, io.NewSectionReader(mem, int64(a), int64(b-a))) // #nosec G115 -- user space
	}
	if total < 1<<20 {
		t.Errorf("only %d bytes of memory were read", total)
	}
}

// putProbe builds the probe and puts it where the agent may write.
func putProbe(t *testing.T, container string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "probe")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./probe")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	mustDocker(t, "cp", path, container+":/work/probe")
	return "/work/probe"
}

// noOtherWayOut tries addresses and names from inside.
func noOtherWayOut(t *testing.T, w *world) {
	before := w.agents(t)
	mine, release := awakeFor(t, w, "hal")
	defer release()
	probe := putProbe(t, mine)

	// Something to reach: listeners on this machine, on every address it has.
	var targets []string
	l, err := net.Listen("tcp", ":0") //nolint:gosec // every address is the point
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.0 200 OK\r\n\r\nyou reached the host")
			_ = conn.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if ip, ok := a.(*net.IPNet); ok && !ip.IP.IsLoopback() {
			targets = append(targets, net.JoinHostPort(ip.IP.String(), port))
		}
	}
	targets = append(targets, "host.docker.internal:"+port)
	if len(targets) == 1 {
		t.Fatal("this machine has no address to try")
	}
	for _, other := range before {
		ip, err := addrOf(t.Context(), other)
		if err != nil {
			t.Fatal(err)
		}
		targets = append(targets, ip+":8788")
	}
	out, err := docker(t.Context(), append([]string{"exec", mine, probe, "reach"}, targets...)...)
	t.Logf("tried from inside:\n%s", out)
	if err != nil {
		t.Errorf("the probe reached something: %v", err)
	}
}
