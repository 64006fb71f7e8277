package e2e

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// The names that both neighbours use.
var (
	sameSessions = []string{"default", "same", "熊 大 %2e"}
	sameFiles    = []string{"notes.md", "d/x.txt", "笔记.txt"}
)

// neighbour is one of two users who call everything alike. What is theirs has
// their mark in it.
type neighbour struct {
	c     *client.Client
	mark  string
	other *neighbour
	ws    *client.Socket

	files map[string]string   // what they wrote last
	ids   map[string][]string // run, message, approval, memory, cursor: what they were told
	n     int

	mu   sync.Mutex
	seen []byte // frames
}

// street is two neighbours on the one agent.
type street struct {
	t    *rapid.T
	both [2]*neighbour
	used map[string]bool // the endpoints that were called, over all checks
}

// TestTwoUsersWithTheSameNamesNeverSeeAByteOfEachOther has two users call every
// endpoint in any order, with the same session ids, file names and words, and
// with each other's ids. Whatever comes back to one must not hold the other's
// mark, an id that is the other's opens nothing, and each finds their own as
// they left it.
func TestTwoUsersWithTheSameNamesNeverSeeAByteOfEachOther(t *testing.T) {
	w := own(t, func(o *testenv.Options) { o.AgentEnv["TOOLS_AUTO_APPROVE"] = "" })
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		if err := flag.Set("rapid.checks", "40"); err != nil {
			t.Fatal(err)
		}
	}
	used := map[string]bool{}
	rapid.Check(t, func(rt *rapid.T) {
		s := &street{t: rt, used: used}
		for i := range s.both {
			n := int(w.next.Add(1)) - 1
			s.both[i] = &neighbour{
				c: client.New(w.Base, tokenOf(n%users), transport), mark: fmt.Sprintf("MARK%dof%d", n, i),
				files: map[string]string{}, ids: map[string][]string{},
			}
			s.open(t, s.both[i])
		}
		s.both[0].other, s.both[1].other = s.both[1], s.both[0]
		defer func() { s.both[0].ws.Cut(); s.both[1].ws.Cut() }()
		ops := s.operations()
		names := make([]string, 0, len(ops))
		for name := range ops {
			names = append(names, name)
		}
		slices.Sort(names)
		for range rapid.IntRange(10, 25).Draw(rt, "calls") {
			name := rapid.SampledFrom(names).Draw(rt, "operation")
			who := s.both[rapid.IntRange(0, 1).Draw(rt, "who")]
			who.n++
			ops[name](who)
			used[name] = true
		}
		for _, who := range s.both {
			for _, name := range names { // everything that reads, of both
				if strings.HasPrefix(name, "GET ") {
					ops[name](who)
					used[name] = true
				}
			}
			s.holds(who)
		}
	})
	for _, want := range endpoints(t) {
		if !used[want] {
			t.Errorf("%s was never called", want)
		}
	}
}

// endpoints are all that the gateway forwards to the agent, and a socket's frames.
func endpoints(t *testing.T) []string {
	t.Helper()
	root, err := testenv.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(root, name)) //nolint:gosec // a fixed name
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	paths := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\s+(Path\w+)\s+= "([^"]+)"`).FindAllStringSubmatch(read("pkg/chat/paths.go"), -1) {
		paths[m[1]] = m[2]
	}
	methods := map[string]string{"get": "GET", "post": "POST", "put": "PUT", "patch": "PATCH", "del": "DELETE"}
	var out []string
	for _, m := range regexp.MustCompile(`(?m)^\s+\{(\w+), (Path\w+), .*, ByAgent`).FindAllStringSubmatch(read("pkg/chat/routes.go"), -1) {
		out = append(out, methods[m[1]]+" "+paths[m[2]])
	}
	for _, m := range regexp.MustCompile(`(?m)^\s+Frame\w+\s+= "([^"]+)"`).FindAllStringSubmatch(read("pkg/chat/frame.go"), -1) {
		out = append(out, "frame "+m[1])
	}
	if len(out) < 40 {
		t.Fatalf("only %d endpoints were found: %q", len(out), out)
	}
	return out
}

// open opens a socket, and takes everything in that comes over it.
func (s *street) open(t *testing.T, who *neighbour) {
	ws, err := who.c.Dial(t.Context(), "/ws")
	if err != nil {
		s.t.Fatal(err)
	}
	who.ws = ws
	go func() {
		for {
			e, err := ws.Next()
			if err != nil {
				return
			}
			who.mu.Lock()
			who.seen = append(append(who.seen, e.Raw...), '\n')
			who.mu.Unlock()
		}
	}()
}

// call makes a request, and looks through what comes back.
func (s *street) call(who *neighbour, method, path string, body any, headers ...client.Header) client.Answer {
	ctx := s.t.Context()
	a, err := who.c.Do(ctx, method, path, body, headers...)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	if a.Status >= 500 {
		s.t.Errorf("%s %s: got %v", method, path, a)
	}
	s.clean(who, method+" "+path, append(a.Body, fmt.Sprint(a.Header)...))
	var m struct {
		RunID, MessageID, Cursor, ID string
		Next                         string
		Messages                     []client.HistoryItem
	}
	if json.Unmarshal(a.Body, &m) == nil {
		who.learn("run", m.RunID)
		who.learn("message", m.MessageID)
		who.learn("cursor", m.Cursor)
		if strings.Contains(path, "/memory") {
			who.learn("memory", m.ID)
		}
		for _, one := range m.Messages {
			who.learn("message", one.ID)
		}
	}
	return a
}

func (n *neighbour) learn(kind, id string) {
	if id != "" && !slices.Contains(n.ids[kind], id) {
		n.ids[kind] = append(n.ids[kind], id)
	}
}

// clean says that nothing of the other one's is in a text.
func (s *street) clean(who *neighbour, where string, text []byte) {
	if other := who.other; other != nil && bytes.Contains(text, []byte(other.mark)) {
		s.t.Fatalf("%s gives %s what is %s: %.400s", where, who.mark, other.mark, text)
	}
}

// holds looks at a user's frames, and that their files are theirs.
func (s *street) holds(who *neighbour) {
	who.mu.Lock()
	s.clean(who, "the socket", who.seen)
	who.mu.Unlock()
	var list struct{ Files []struct{ Path string } }
	if err := s.call(who, "GET", "/api/files", nil).JSON(&list); err != nil || len(list.Files) != len(who.files) {
		s.t.Errorf("%s has the files %v, %v, want %v", who.mark, list, err, who.files)
	}
	for name, want := range who.files {
		if a := s.call(who, "GET", "/api/files/"+escaped(name), nil); string(a.Body) != want {
			s.t.Errorf("%s: %s is %v, want %q", who.mark, name, a, want)
		}
	}
}

func escaped(path string) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

// text is something to say, with the mark of who says it.
func (n *neighbour) text() string {
	return fmt.Sprintf("remember honey codeword %s number %d", n.mark, n.n)
}

// foreign draws an id that only the other one was told; empty when there is none.
func (s *street) foreign(who *neighbour, kind string) string {
	if ids := who.other.ids[kind]; len(ids) > 0 {
		if id := rapid.SampledFrom(ids).Draw(s.t, kind); !slices.Contains(who.ids[kind], id) {
			return id
		}
	}
	return ""
}

// mine draws an id of the caller's own.
func (s *street) mine(who *neighbour, kind string) string {
	if ids := who.ids[kind]; len(ids) > 0 {
		return rapid.SampledFrom(ids).Draw(s.t, kind)
	}
	return ""
}

// shut says that another one's id opens nothing.
func (s *street) shut(what string, a client.Answer) {
	if a.Status < 400 || a.Status > 499 {
		s.t.Fatalf("%s with another user's id: got %v, want a refusal", what, a)
	}
}

func (s *street) session() string { return rapid.SampledFrom(sameSessions).Draw(s.t, "session") }
func (s *street) file() string    { return rapid.SampledFrom(sameFiles).Draw(s.t, "file") }
