package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/load"
	"github.com/loongclaw/loongclaw/deploy/internal/rollout"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

var (
	soakTime  = flag.Duration("soak", 0, "how long deploys go on under those who talk; 0 is once through good and bad")
	soakUsers = flag.Int("talkers", 6, "how many talk meanwhile")
	soakWatch = flag.Duration("watch", 5*time.Second, "how long each new agent is watched")
)

// engine skips where no engine answers, and says what is missing.
func engine(t *testing.T) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "docker", "info").CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: no container engine answers: %v %.200s\nNext: start one", err, out)
	}
	if exec.CommandContext(t.Context(), "docker", "compose", "version").Run() != nil && exec.CommandContext(t.Context(), "docker-compose", "version").Run() != nil {
		t.Skip("SKIPPED: there is no docker-compose\nNext: apt-get install docker-compose")
	}
}

// site builds images and forgets them in the end.
type site struct {
	t    *testing.T
	root string
	name string // of this test alone
	dir  string // where programs are compiled to
	tags []string
}

func newSite(t *testing.T) *site {
	t.Helper()
	root, err := testenv.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, root: root, name: "lctest-" + strings.ToLower(rand.Text()[:8]), dir: t.TempDir()}
	t.Cleanup(func() {
		for _, tag := range s.tags {
			_, _ = docker(context.Background(), "rmi", "-f", tag)
		}
	})
	for name, from := range map[string]string{"agent": "agent/cmd/agent", "gateway": "gateway/cmd/gateway", "sick": "deploy/test/cloudflare/sick", "provider": "deploy/cmd/compose/provider"} {
		module, inside, _ := strings.Cut(from, "/")
		cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(s.dir, name), "./"+inside) // #nosec G204 -- fixed names
		cmd.Dir, cmd.Env = filepath.Join(root, module), append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go build %s: %v\n%s", from, err, out)
		}
	}
	s3, err := testenv.S3Program(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "cp", s3, filepath.Join(s.dir, "versitygw")).CombinedOutput(); err != nil { // #nosec G204 -- our own paths
		t.Fatalf("%v %s", err, out)
	}
	if err := os.Mkdir(filepath.Join(s.dir, "empty"), 0o755); err != nil { // #nosec G301 -- a folder of an image
		t.Fatal(err)
	}
	return s
}

// build builds an image from one of our files, or from a text.
func (s *site) build(what, file, text string) string {
	s.t.Helper()
	tag := s.name + "-" + what
	args := []string{"build", "-q", "-t", tag, "-f", filepath.Join(s.root, "deploy", file), s.dir}
	if file == "" {
		path := filepath.Join(s.t.TempDir(), "Dockerfile")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
		args[5] = path
	}
	if _, err := docker(s.t.Context(), args...); err != nil {
		s.t.Fatal(err)
	}
	s.tags = append(s.tags, tag)
	return tag
}

// sick is an image that must not stay.
func (s *site) sick(how string) string {
	return s.build(how, "", fmt.Sprintf("FROM %s-agent\nCOPY sick /sick\nENTRYPOINT [\"/sick\",%q]\n", s.name, how))
}

// good is an image like the first one, and another.
func (s *site) good(n int) string {
	return s.build(fmt.Sprint("good", n), "", fmt.Sprintf("FROM %s-agent\nLABEL generation=%d\n", s.name, n))
}

// open starts a deployment with a model of its own, for so many users.
func (s *site) open(out io.Writer, users int) *deployment {
	t := s.t
	t.Helper()
	public, err1 := testenv.FreeAddr()
	metrics, err2 := testenv.FreeAddr()
	h := &deployment{state: t.TempDir(), file: filepath.Join(s.root, "deploy", "compose.yaml"), project: s.name, publish: public, metrics: metrics, trial: time.Minute, out: out}
	if err := errors.Join(err1, err2, h.found()); err != nil {
		t.Fatal(err)
	}
	tokens := "me:token-of-the-owner"
	for i := range users {
		tokens += fmt.Sprintf(",u%d:%s", i, tokenOf(i))
	}
	for name, text := range map[string]string{
		"gateway.env": "LOONGCLAW_TOKENS=" + tokens + "\nRATE_LIMIT_CHAT=100000/m\nRATE_LIMIT_API=100000/m\n",
		"agent.env":   "LLM_PROVIDER=openai\nOPENAI_MODEL=standin\nOPENAI_API_KEY=sk-not-a-real-key\nOPENAI_BASE_URL=http://provider:8080/v1\n",
	} {
		env, err := h.settings(name)
		if err != nil {
			t.Fatal(err)
		}
		delete(env, "LOONGCLAW_TOKENS")
		for k, v := range env {
			text += k + "=" + v + "\n"
		}
		if err := h.replace(text, 0o600, name); err != nil {
			t.Fatal(err)
		}
	}
	for name, image := range map[string]string{
		"GATEWAY_IMAGE": s.build("gateway", "gateway.Dockerfile", ""), "STORE_IMAGE": s.build("s3", "s3.Dockerfile", ""),
		"AGENT_BLUE_IMAGE": s.build("agent", "agent.Dockerfile", ""), "AGENT_GREEN_IMAGE": s.name + "-agent",
	} {
		if err := h.set(name, image); err != nil {
			t.Fatal(err)
		}
	}
	more := filepath.Join(h.state, "more.yaml")
	provider := s.build("provider", "", "FROM scratch\nCOPY provider /provider\nUSER 65532:65532\nENTRYPOINT [\"/provider\"]\n")
	if err := os.WriteFile(more, []byte("services:\n  provider:\n    image: "+provider+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("COMPOSE_MORE", more)
	t.Cleanup(func() {
		if t.Failed() {
			s.logs()
		}
		if err := h.compose(context.Background(), "down", "-v", "-t", "1"); err != nil {
			t.Error(err)
		}
	})
	if err := h.up(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}

func (s *site) logs() {
	for _, service := range []string{"gateway", "agent-blue", "agent-green", "store"} {
		id, err := docker(context.Background(), "ps", "-a", "-q", "--filter", "label=com.docker.compose.project="+s.name, "--filter", "label=com.docker.compose.service="+service)
		if err != nil || id == "" {
			continue
		}
		said, _ := exec.Command("docker", "logs", "--tail", "20", id).CombinedOutput() // #nosec G204 -- an id of docker's own
		s.t.Logf("--- %s\n%s", service, said)
	}
}

func tokenOf(i int) string { return fmt.Sprintf("token-of-talker-%d", i) }

func TestDeploysOnComposeUnderThoseWhoTalk(t *testing.T) {
	engine(t)
	s := newSite(t)
	said := &testenv.Said{T: t}
	h := s.open(said, *soakUsers)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var talkers []*load.Talker
	var alive sync.WaitGroup
	for i := range *soakUsers {
		over := client.OverSSE
		if i%2 == 1 {
			over = client.OverWS
		}
		x := &load.Talker{
			Client: client.New("http://"+h.publish, tokenOf(i), nil), Session: fmt.Sprintf("s%d", i), Over: over,
			Chunks: 10 + 10*(i%4), Delay: 60 * time.Millisecond, Pause: 300 * time.Millisecond,
		}
		talkers = append(talkers, x)
		alive.Go(func() { x.Talk(ctx) })
	}
	rules := rollout.Usual
	rules.Watch, rules.Every = *soakWatch, time.Second
	rules.Slow = 30 * time.Second // this machine may be busy
	begin := time.Now()
	good, bad := 0, 0
	for round := 0; round == 0 || time.Since(begin) < *soakTime; round++ {
		for _, how := range []string{"", "exits", "500", "", "forgets", ""} {
			if round > 0 && how != "" && bad >= 3 && *soakTime < time.Hour {
				how = "" // three bad ones were asked for
			}
			h.image = s.next(how, good+bad)
			before, err := h.State(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			r := &rollout.Rollout{Platform: h, Rules: rules, Patience: 20 * time.Second, Out: said}
			err = h.deploy(t.Context(), r)
			after, err2 := h.State(t.Context())
			text := said.Take()
			switch {
			case err2 != nil:
				t.Fatal(err2)
			case how == "":
				good++
				if err != nil || after.Serves != before.Serves.Other() {
					t.Errorf("a good image: %v, %s serves\n%s", err, after.Serves, text)
				}
			default:
				bad++
				if err == nil || after.Serves != before.Serves || !strings.Contains(text, "RED") || !strings.Contains(text, why[how]) {
					t.Errorf("an image that %s: %v, %s serves\n%s", how, err, after.Serves, text)
				}
			}
		}
	}
	// By hand, in seconds.
	moved := time.Now()
	if err := h.rollback(t.Context(), &rollout.Rollout{Platform: h, Rules: rules, Out: said}); err != nil || time.Since(moved) > 10*time.Second {
		t.Errorf("rollback: %v after %v", err, time.Since(moved))
	}
	time.Sleep(2 * time.Second)
	stop()
	alive.Wait()
	var sum load.Tally
	for _, x := range talkers {
		x.Check(t.Context())
		sum.Add(x.Tally())
	}
	t.Logf("%d good deploys and %d bad ones in %v: %v", good, bad, time.Since(begin).Round(time.Second), sum)
	for _, f := range sum.Faults {
		t.Error(f)
	}
	if sum.Messages < 5**soakUsers {
		t.Error("too little was said")
	}
}

// why is what the log must say of each bad image.
var why = map[string]string{
	"exits":   "this image does not start",
	"500":     "status 500",
	"forgets": "memory is lost",
}

// next builds the image of a deploy.
func (s *site) next(how string, n int) string {
	if how == "" {
		return s.good(n)
	}
	if tag := s.name + "-" + how; slices.Contains(s.tags, tag) {
		return tag
	}
	return s.sick(how)
}
