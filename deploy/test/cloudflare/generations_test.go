package cloudflare

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/load"
	"github.com/loongclaw/loongclaw/deploy/internal/rollout"
	edge "github.com/loongclaw/loongclaw/deploy/internal/rollout/cloudflare"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

var (
	soakTime  = flag.Duration("soak", 0, "how long the deploys under those who talk go on; 0 is once through good and bad")
	soakUsers = flag.Int("users", 3, "how many users there are meanwhile, each with a container")
	talkers   = flag.Int("talkers", 3, "how many sessions talk, shared out among the users")
	soakWatch = flag.Duration("watch", 6*time.Second, "how long each new generation is watched")
)

const (
	operatorKey = "canary-of-the-operator-key"
	canaryToken = "canary-of-the-canary-token"
)

// slots is the Worker under wrangler dev as a platform: an image is put into a slot
// by giving its tag to another one, since containers are started by their tag.
type slots struct {
	edge.Operator
	images map[string]string // the tags that containers are started by, by class
	next   string            // the image that Fill puts in
}

func (s *slots) State(ctx context.Context) (rollout.State, error) {
	state, err := s.Operator.State(ctx)
	state.Next = s.next
	return state, err
}

func (s *slots) Fill(ctx context.Context, slot rollout.Slot) error {
	tag := s.images["agent"+string(slot)]
	if tag == "" {
		return fmt.Errorf("wrangler did not say which image it has built for %s", slot)
	}
	if _, err := docker(ctx, "tag", s.next, tag); err != nil {
		return err
	}
	return s.Note(ctx, slot, s.next, s.next)
}

// Discard has nothing to do: the Worker did not change.
func (s *slots) Discard(context.Context, rollout.Slot) error { return nil }

var _ rollout.Platform = (*slots)(nil)

// images builds good images of the agent, and bad ones.
type images struct {
	t        *testing.T
	root, of string // of is the Worker's name: no other suite has images of it
	n        int
}

// scratch is what every image here begins with.
const scratch = `FROM scratch
COPY agent /agent
COPY --chown=65532:65532 empty /work
COPY --chown=65532:65532 empty /tmp
USER 65532:65532
WORKDIR /work
`

// agent is the real agent, as another image.
func (b *images) agent() string {
	b.n++
	return b.build(scratch+fmt.Sprintf("ENV GENERATION=%d\nENTRYPOINT [\"/agent\"]\n", b.n), filepath.Join(b.root, "bin", "image"))
}

// sick is a program of these tests in place of the agent, or before it.
func (b *images) sick(how string) string {
	b.n++
	dir := b.t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(b.root, "bin", "image"))); err != nil {
		b.t.Fatal(err)
	}
	goBuild(b.t, filepath.Join(dir, "sick"), "./sick")
	return b.build(scratch+"COPY sick /sick\nENTRYPOINT [\"/sick\", \""+how+"\"]\n", dir)
}

// goBuild builds a program of these tests for a container.
func goBuild(t *testing.T, path, program string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", path, program) //nolint:gosec // one of ours
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", program, err, out)
	}
}

func (b *images) build(file, dir string) string {
	name := fmt.Sprintf("%s-generation:%d", b.of, b.n)
	path := filepath.Join(b.t.TempDir(), "Dockerfile")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		b.t.Fatal(err)
	}
	mustDocker(b.t, "build", "-q", "-t", name, "-f", path, dir)
	return name
}

// TestGenerations: deploys, good and bad, under clients that never stop.
func TestGenerations(t *testing.T) {
	underTalkers(t, "user", func(s *stage) {
		since := time.Now()
		s.roll(t, "good", s.build.agent(), "")
		s.arrive(t, since)
		s.rollBack(t)
		s.r.Patience = patience / 2 // what does not start is not waited for long
		s.roll(t, "does not start", s.build.sick("exits"), "status 503")
		s.r.Patience = patience
		s.roll(t, "answers 500", s.build.sick("500"), "status 500")
		s.roll(t, "loses memory", s.build.sick("forgets"), "memory is lost")
		if err := s.r.Rollback(t.Context()); err == nil || !strings.Contains(err.Error(), "that is no way back") {
			t.Errorf("a rollback into what was red: got %v", err)
		}
	})
}

// TestGenerationsTogether: the same where all share a container; they move one by one.
func TestGenerationsTogether(t *testing.T) {
	underTalkers(t, "single", func(s *stage) {
		since := time.Now()
		s.roll(t, "good", s.build.agent(), "")
		s.arrive(t, since)
		s.roll(t, "answers 500", s.build.sick("500"), "status 500")
	})
}

// stage is a Worker on which rollouts happen.
type stage struct {
	r     *rollout.Rollout
	p     *slots
	out   *testenv.Said
	build *images
}

// underTalkers has deploys done, again and again for soakTime, under those who talk.
func underTalkers(t *testing.T, placement string, deploys func(*stage)) {
	t.Helper()
	names := make([]string, *soakUsers)
	tokens := make([]string, *soakUsers)
	for i := range names {
		names[i] = fmt.Sprintf("talker%d", i)
		tokens[i] = names[i] + ":" + fmt.Sprintf(tokenOf, names[i])
	}
	w := newWorld(t, map[string]string{
		"LOONGCLAW_TOKENS": strings.Join(tokens, ","), "ROLLOUT_KEY": operatorKey, "LOONGCLAW_CANARY": edge.CanaryName + ":" + canaryToken,
		"TOOLS_AUTO_APPROVE": "get_current_time", "SLEEP_AFTER": "20s", "MAX_CONCURRENT_RUNS": "64", "AGENT_PLACEMENT": placement,
	})
	root, err := testenv.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := &slots{images: w.Images, Operator: edge.Operator{Base: w.Base, Key: operatorKey, Canary: canaryToken, Hold: *soakWatch + time.Minute, HTTP: &http.Client{Timeout: time.Minute}}}
	out := &testenv.Said{T: t}
	s := &stage{p: p, out: out, build: &images{t: t, root: root, of: w.Name}, r: &rollout.Rollout{Platform: p, Out: out, Patience: patience, Rules: rollout.Rules{
		Watch: *soakWatch, Every: time.Second, Failed: 0.02, Enough: 10, Slower: 10, Slow: 5 * time.Second,
	}}}
	if err := errors.Join(p.Note(t.Context(), rollout.Blue, "the first", ""), p.Keep(t.Context())); err != nil {
		t.Fatal(err)
	}
	strangersAtTheDoor(t, w)

	ctx, stop := context.WithCancel(t.Context())
	var crowd []*load.Talker
	var all sync.WaitGroup
	for i := range *talkers {
		name := names[i%len(names)]
		talker := &load.Talker{
			Client: w.user(name), Session: fmt.Sprintf("s%d", i), Over: []string{client.OverSSE, client.OverWS}[i%2],
			Chunks: 6, Delay: 60 * time.Millisecond, Pause: 150 * time.Millisecond,
		}
		crowd = append(crowd, talker)
		all.Go(func() { talker.Talk(ctx) })
	}
	begin := time.Now()
	for round := 0; round == 0 || time.Since(begin) < *soakTime; round++ {
		deploys(s)
	}
	stop()
	all.Wait()
	var sum load.Tally
	for _, talker := range crowd {
		talker.Check(limited(t))
		sum.Add(talker.Tally())
	}
	t.Logf("in %v: %v", time.Since(begin).Round(time.Second), sum)
	if len(sum.Faults) > 0 || sum.Messages < 5**talkers {
		t.Errorf("faults:\n%s", strings.Join(sum.Faults, "\n"))
	}
	if said := out.String(); strings.Contains(said, operatorKey) || strings.Contains(said, canaryToken) {
		t.Error("it printed a credential")
	}
}

// roll deploys an image, and holds what became of it to what had to.
func (s *stage) roll(t *testing.T, name, image, why string) {
	t.Helper()
	t.Logf("--- %s", name)
	before, err := s.p.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.p.next = image
	err = s.r.Deploy(t.Context())
	after, stateErr := s.p.State(t.Context())
	var red *rollout.Failure
	switch {
	case stateErr != nil:
		t.Fatal(stateErr)
	case why == "":
		if err != nil || after.Serves != before.Serves.Other() {
			t.Errorf("%s: got %v, and %s serves", name, err, after.Serves)
		}
	case !errors.As(err, &red) || after.Serves != before.Serves || !strings.Contains(err.Error(), why):
		t.Errorf("%s: got %v, and %s serves; want red with %q", name, err, after.Serves, why)
	case !strings.Contains(s.out.String(), "RED, the switch stays: "+strings.Join(strings.Fields(err.Error()), " ")):
		t.Errorf("%s: the log does not say why", name)
	}
}

// arrive waits until those who talk have moved, and the figures tell of it.
func (s *stage) arrive(t *testing.T, since time.Time) {
	t.Helper()
	now, err := s.p.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var f rollout.Figures
	eventually(t, patience, "the new generation has something to do", func() bool {
		f, err = s.p.Figures(t.Context(), now.Serves, since)
		return err == nil && f.Requests >= 10
	})
	t.Logf("%s: %v", now.Serves, f)
}

// rollBack is what `make rollback` does, and what the switch does when nobody comes.
func (s *stage) rollBack(t *testing.T) {
	t.Helper()
	before, _ := s.p.State(t.Context())
	begin := time.Now()
	if err := s.r.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("the rollback took %v, want seconds", took)
	}
	if now, _ := s.p.State(t.Context()); now.Serves != before.Serves.Other() {
		t.Errorf("%s serves after the rollback", now.Serves)
	}
	unwatched := s.p.Operator
	unwatched.Hold = 3 * time.Second
	if err := unwatched.Serve(t.Context(), before.Serves); err != nil {
		t.Fatal(err)
	}
	took := eventually(t, 20*time.Second, "the switch goes back when nobody watches", func() bool {
		now, _ := s.p.State(t.Context())
		return now.Serves == before.Serves.Other()
	})
	t.Logf("the switch went back by itself after %v", took.Round(time.Second))
	if err := s.r.Rollback(t.Context()); err != nil { // forward again
		t.Fatal(err)
	}
}

// strangersAtTheDoor: the operator's interface is nobody else's.
func strangersAtTheDoor(t *testing.T, w *world) {
	t.Helper()
	for _, key := range []string{"", "wrong", fmt.Sprintf(tokenOf, "talker0"), canaryToken} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			c := client.New(w.Base, key, nil)
			a, err := c.Do(limited(t), method, "/api/rollout", map[string]string{"do": "serve", "slot": "green"})
			if err != nil || a.Status != http.StatusUnauthorized || a.Fault().Hint == "" {
				t.Errorf("%s with %q: got %v, %v, want 401", method, key, a, err)
			}
		}
	}
}
