package rollout_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/rollout"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

const canaryToken = "token-of-the-canary"

// image is what can be put into a slot: how to start it on an address.
type image struct {
	name string
	path string
	env  map[string]string
}

// processes is a small platform of its own: a real gateway, two slots that hold
// agents as processes of this machine on one store, and a switch before them.
type processes struct {
	t     *testing.T
	bin   testenv.Binaries
	stack *testenv.Stack
	keys  struct{ private, public string }
	env   map[string]string // of every agent
	next  image

	mu     sync.Mutex
	slots  map[rollout.Slot]*slot
	serves rollout.Slot
	trial  rollout.Slot // where the canary is; empty without one
	users  map[string]*place
	moved  []string // what was done, in order
	served func()   // is told of each move of the switch
	seen   map[rollout.Slot][]answer
	blind  bool // the figures cannot be seen
	sour   bool // what serves answers the canary well, and everybody else with 500
}

type slot struct {
	image string
	addr  string
	kept  bool
	*testenv.Process
}

// place is where one user is.
type place struct {
	mu     sync.Mutex
	slot   rollout.Slot
	asks   int // requests that wait for the head of their answer
	cut    context.CancelFunc
	served context.Context
}

type answer struct {
	at     time.Time
	took   time.Duration
	failed bool
}

func newProcesses(t *testing.T, bin testenv.Binaries, model *fakeprovider.Server) *processes {
	t.Helper()
	p := &processes{t: t, bin: bin, slots: map[rollout.Slot]*slot{}, users: map[string]*place{}, seen: map[rollout.Slot][]answer{}}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p.keys.private, p.keys.public = pass.FormatPrivate(private), pass.FormatPublic(public)
	front := httptest.NewServer(p)
	t.Cleanup(front.Close)
	dir := t.TempDir()
	p.env = map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": dir, "TMPDIR": os.TempDir(), "PASS_PUBLIC_KEYS": p.keys.public,
		"STORE": "disk:" + filepath.Join(dir, "shared"), "WORKSPACE_DIR": filepath.Join(dir, "work"), "MAX_CONCURRENT_RUNS": "64",
		"LLM_PROVIDER": "openai", "OPENAI_MODEL": "standin", "OPENAI_BASE_URL": model.URL, "OPENAI_API_KEY": "sk-not-a-real-key",
	}
	tokens := "canary:" + canaryToken
	for i := range talkers {
		tokens += fmt.Sprintf(",u%d:%s", i, tokenOf(i))
	}
	p.stack, err = testenv.Up(t.Context(), testenv.Options{Bin: bin, Dir: dir, Tokens: tokens, AgentURL: front.URL, GatewayEnv: map[string]string{"PASS_PRIVATE_KEY": p.keys.private}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.stack.Down()
		for name, s := range p.slots {
			s.Kill()
			if t.Failed() {
				t.Logf("--- %s\n%.2000s", name, warnings(s.Log()))
			}
		}
	})
	return p
}

// agent is an image of the real agent.
func (p *processes) agent(name string, env map[string]string) image {
	return image{name: name, path: p.bin.Agent, env: env}
}

func (p *processes) State(context.Context) (rollout.State, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := rollout.State{Serves: p.serves, Images: map[rollout.Slot]string{}, Kept: map[rollout.Slot]bool{}, Next: p.next.name}
	for name, slot := range p.slots {
		s.Images[name], s.Kept[name] = slot.image, slot.kept
	}
	return s, nil
}

func (p *processes) Fill(_ context.Context, name rollout.Slot) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if name == p.serves {
		return errors.New("that slot serves")
	}
	if old := p.slots[name]; old != nil {
		old.Kill()
	}
	addr, err := testenv.FreeAddr()
	if err != nil {
		return err
	}
	env := maps.Clone(p.env)
	env["AGENT_LISTEN_ADDR"], env["AGENT_INSTANCE"] = addr, string(name)
	maps.Copy(env, p.next.env)
	process, err := testenv.Start(p.next.path, p.t.TempDir(), env)
	if err != nil {
		return err
	}
	p.slots[name] = &slot{image: p.next.name, addr: addr, Process: process}
	p.moved = append(p.moved, "fill "+string(name))
	return nil
}

func (p *processes) Discard(_ context.Context, name rollout.Slot) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if name == p.serves {
		return errors.New("that slot serves")
	}
	p.slots[name].Kill()
	p.moved = append(p.moved, "discard "+string(name))
	return nil
}

func (p *processes) Serve(_ context.Context, name rollout.Slot) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.serves = name
	p.moved = append(p.moved, "serve "+string(name))
	if p.served != nil {
		p.served()
	}
	return nil
}

func (p *processes) Keep(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slots[p.serves].kept = true
	p.moved = append(p.moved, "keep")
	return nil
}

func (p *processes) Admit(_ context.Context, name rollout.Slot) (rollout.Visitor, error) {
	p.mu.Lock()
	p.trial = name
	p.mu.Unlock()
	for begin := time.Now(); time.Since(begin) < 10*time.Second; time.Sleep(20 * time.Millisecond) {
		at, _, done := p.place("canary")
		done()
		if at == name {
			return rollout.Visitor{Base: p.stack.Base, Token: canaryToken}, nil
		}
	}
	return rollout.Visitor{}, errors.New("the canary does not rest")
}

func (p *processes) Dismiss(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trial = ""
	return nil
}

func (p *processes) Figures(_ context.Context, name rollout.Slot, since time.Time) (rollout.Figures, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.blind {
		return rollout.Figures{}, errors.New("it is dark")
	}
	var f rollout.Figures
	var took []time.Duration
	for _, a := range p.seen[name] {
		if a.at.Before(since) {
			continue
		}
		f.Requests++
		if a.failed {
			f.Failures++
		}
		took = append(took, a.took)
	}
	if len(took) > 0 {
		slices.Sort(took)
		f.P95 = took[len(took)*95/100]
	}
	return f, nil
}

// ServeHTTP is the switch, between the gateway and the agents.
func (p *processes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user := userOf(r)
	at, addr, done := p.place(user)
	if addr == "" {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	if p.spoils(at, user) {
		done()
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	begin := time.Now()
	head := false
	told := func(failed bool) {
		if head {
			return
		}
		head = true
		done()
		if user != "canary" {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.seen[at] = append(p.seen[at], answer{begin, time.Since(begin), failed})
		}
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: addr}) },
		FlushInterval:  -1,
		ModifyResponse: func(res *http.Response) error { told(res.StatusCode == http.StatusInternalServerError); return nil },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			told(true)
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	ctx, cut := context.WithCancel(r.Context())
	defer cut()
	stop := context.AfterFunc(p.user(user).served, cut)
	defer stop()
	defer func() { _ = recover() }() // a stream that was cut
	proxy.ServeHTTP(w, r.WithContext(ctx))
}

// spoils reports whether an answer is to fail, and counts it.
func (p *processes) spoils(at rollout.Slot, user string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.sour || user == "canary" {
		return false
	}
	p.seen[at] = append(p.seen[at], answer{at: time.Now(), failed: true})
	return true
}

// userOf reads the pass, whose signature the agent checks.
func userOf(r *http.Request) string {
	body, _, _ := strings.Cut(r.Header.Get("X-LoongClaw-Pass"), ".")
	raw, _ := rawURL.DecodeString(body)
	var claims struct {
		User string `json:"u"`
	}
	_ = json.Unmarshal(raw, &claims)
	return claims.User
}

func (p *processes) user(name string) *place {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.users[name] == nil {
		u := &place{}
		u.served, u.cut = context.WithCancel(context.Background())
		p.users[name] = u
	}
	return p.users[name]
}

// place says where a request goes; done says that its answer has begun.
func (p *processes) place(user string) (at rollout.Slot, addr string, done func()) {
	u := p.user(user)
	u.mu.Lock()
	defer u.mu.Unlock()
	p.mu.Lock()
	want := p.serves
	if user == "canary" && p.trial != "" {
		want = p.trial
	}
	old := p.slots[u.slot]
	p.mu.Unlock()
	if u.slot != want && (old == nil || u.asks == 0 && p.rests(old.addr, user)) {
		u.cut()
		u.slot = want
		u.served, u.cut = context.WithCancel(context.Background())
	}
	u.asks++
	done = func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.asks--
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.slots[u.slot]; s != nil {
		return u.slot, s.addr, done
	}
	return u.slot, "", done
}

// rests asks an agent, with a pass for this question; one that does not answer runs
// nothing.
func (p *processes) rests(addr, user string) bool {
	key, err := pass.ParsePrivate(p.keys.private)
	if err != nil {
		panic(err) // this test made it
	}
	text, err := pass.Sign(key, pass.Pass{User: user, Scopes: []string{"read"}, Method: http.MethodGet, Path: "/active"}, time.Now())
	if err != nil {
		panic(err)
	}
	req, err := http.NewRequest(http.MethodGet, "http://"+addr+"/active?user="+user, http.NoBody)
	if err != nil {
		panic(err)
	}
	req.Header.Set(chat.HeaderPass, text)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return true
	}
	defer func() { _ = res.Body.Close() }()
	var a struct{ Active int }
	return json.NewDecoder(res.Body).Decode(&a) != nil || a.Active == 0
}

var _ rollout.Platform = (*processes)(nil)

// warnings are the lines of a log that tell of trouble.
func warnings(log string) string {
	var out strings.Builder
	for line := range strings.Lines(log) {
		if !strings.Contains(line, `"level":"INFO"`) {
			out.WriteString(line)
		}
	}
	return out.String()
}
