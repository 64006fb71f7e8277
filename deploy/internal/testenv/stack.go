package testenv

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/loongclaw/loongclaw/pkg/pass"
)

// readyTime is how long a program may take until it is ready.
const readyTime = 15 * time.Second

// Options say what a stack is to be.
type Options struct {
	Bin        Binaries
	Dir        string // store, workspace and working folders are made below it
	Tokens     string // LOONGCLAW_TOKENS
	Model      string // base URL of the provider; empty leaves the agent offline
	AgentURL   string // an agent of the caller's own; then no other is started
	AgentEnv   map[string]string
	GatewayEnv map[string]string
	Metrics    bool     // both listen for Prometheus, too
	Agents     []string // further agents of the gateway, beside its own
	With       *Stack   // another stack, whose users' passes hold here, too
}

// Stack is a gateway and its agent.
type Stack struct {
	Base    string    // of the gateway
	Metrics [2]string // addresses of /metrics: the gateway's, the agent's; empty without Options.Metrics
	Agent   *Process
	Gateway *Process
	Store   string // folder of the agent's store

	opts      Options
	agentAddr string
	gateAddr  string
	keys      struct{ private, public string }
}

// Up starts both and waits until they are ready.
func Up(ctx context.Context, o Options) (*Stack, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	s := &Stack{opts: o, Store: filepath.Join(o.Dir, "store")}
	s.keys.private, s.keys.public = pass.FormatPrivate(private), pass.FormatPublic(public)
	if o.With != nil {
		s.keys = o.With.keys
	}
	for _, addr := range []*string{&s.agentAddr, &s.gateAddr} {
		if *addr, err = FreeAddr(); err != nil {
			return nil, err
		}
	}
	s.Base = "http://" + s.gateAddr
	for i := range s.Metrics {
		if !o.Metrics {
			break
		}
		if s.Metrics[i], err = FreeAddr(); err != nil {
			return nil, err
		}
	}
	for _, d := range []string{"store", "workspace", "agent", "gateway"} {
		if err := os.MkdirAll(filepath.Join(o.Dir, d), 0o750); err != nil {
			return nil, err
		}
	}
	if o.AgentURL == "" {
		if err := s.StartAgent(ctx); err != nil {
			return nil, err
		}
	}
	if err := s.StartGateway(ctx); err != nil {
		s.Down()
		return nil, err
	}
	return s, nil
}

// StartAgent starts the agent, on the same address and store each time. An agent
// that was started but did not get ready is s.Agent all the same.
func (s *Stack) StartAgent(ctx context.Context) error {
	p, err := Start(s.opts.Bin.Agent, filepath.Join(s.opts.Dir, "agent"), s.agentEnv())
	if err != nil {
		return err
	}
	s.Agent = p
	return p.ready(ctx, "http://"+s.agentAddr+"/ready", http.StatusMultipleChoices, readyTime)
}

// UseAgent starts another program as the agent, on the same address and store.
func (s *Stack) UseAgent(ctx context.Context, program string) error {
	s.opts.Bin.Agent = program
	return s.StartAgent(ctx)
}

// Use starts other programs as the agent and the gateway, on the same addresses and
// store, in the place of those that run.
func (s *Stack) Use(ctx context.Context, bin Binaries) error {
	s.Gateway.Kill()
	s.Agent.Stop(15 * time.Second)
	s.opts.Bin = bin
	if err := s.StartAgent(ctx); err != nil {
		return err
	}
	return s.StartGateway(ctx)
}

func (s *Stack) agentEnv() map[string]string {
	env := map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": filepath.Join(s.opts.Dir, "agent"), "TMPDIR": os.TempDir(),
		"PASS_PUBLIC_KEYS":  s.keys.public,
		"AGENT_LISTEN_ADDR": s.agentAddr,
		"STORE":             "disk:" + s.Store,
		"WORKSPACE_DIR":     filepath.Join(s.opts.Dir, "workspace"),

		"MAX_CONCURRENT_RUNS": "64",
	}
	if s.opts.Model != "" {
		env["LLM_PROVIDER"], env["OPENAI_MODEL"] = "openai", "standin"
		env["OPENAI_BASE_URL"], env["OPENAI_API_KEY"] = s.opts.Model, "sk-not-a-real-key"
	}
	if s.opts.Metrics {
		env["AGENT_ADMIN_LISTEN_ADDR"] = s.Metrics[1]
	}
	maps.Copy(env, s.opts.AgentEnv)
	return env
}

// Verify runs `agent verify` on the agent's store and gives what it says.
func (s *Stack) Verify(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, s.opts.Bin.Agent, "verify") // #nosec G204 -- what Build built
	cmd.Dir = filepath.Join(s.opts.Dir, "agent")
	for k, v := range s.agentEnv() {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	text, err := cmd.CombinedOutput()
	if err != nil {
		return string(text), fmt.Errorf("agent verify: %w\n%s", err, text)
	}
	return string(text), nil
}

// StartGateway starts the gateway, on the same address each time.
func (s *Stack) StartGateway(ctx context.Context) error {
	env := map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": filepath.Join(s.opts.Dir, "gateway"), "TMPDIR": os.TempDir(),
		"PASS_PRIVATE_KEY":    s.keys.private,
		"LISTEN_ADDR":         s.gateAddr,
		"AGENT_URL":           strings.Join(append([]string{s.AgentURL()}, s.opts.Agents...), ","),
		"LOONGCLAW_TOKENS":    s.opts.Tokens,
		"RATE_LIMIT_CHAT":     "100000/m",
		"RATE_LIMIT_API":      "100000/m",
		"MAX_CONCURRENT_RUNS": "64",
		"PID_FILE":            s.pidFile(),
	}
	if s.opts.Metrics {
		env["ADMIN_LISTEN_ADDR"] = s.Metrics[0]
	}
	maps.Copy(env, s.opts.GatewayEnv)
	p, err := Start(s.opts.Bin.Gateway, filepath.Join(s.opts.Dir, "gateway"), env)
	if err != nil {
		return err
	}
	s.Gateway = p
	return p.ready(ctx, s.Base+"/health", http.StatusMultipleChoices, readyTime)
}

// AddAgent starts a second agent on the same store and lets the gateway know of it,
// which is started again.
func (s *Stack) AddAgent(ctx context.Context) (*Stack, error) {
	o := s.opts
	o.With, o.AgentURL = s, ""
	o.AgentEnv = maps.Clone(o.AgentEnv)
	if o.AgentEnv == nil {
		o.AgentEnv = map[string]string{}
	}
	o.AgentEnv["STORE"] = s.agentEnv()["STORE"]
	o.Dir = filepath.Join(s.opts.Dir, "second")
	second := &Stack{opts: o, keys: s.keys, Store: s.Store}
	var err error
	if second.agentAddr, err = FreeAddr(); err != nil {
		return nil, err
	}
	for _, d := range []string{"workspace", "agent"} {
		if err := os.MkdirAll(filepath.Join(o.Dir, d), 0o750); err != nil {
			return nil, err
		}
	}
	if err := second.StartAgent(ctx); err != nil {
		second.Down()
		return nil, err
	}
	s.opts.Agents = append(s.opts.Agents, "http://"+second.agentAddr)
	s.Gateway.Kill()
	return second, s.StartGateway(ctx)
}

// ReplaceGateway sends SIGHUP to the gateway that serves and waits until another
// process has taken over.
func (s *Stack) ReplaceGateway(ctx context.Context) error {
	old, err := pidIn(s.pidFile())
	if err != nil {
		return err
	}
	if err := s.SignalGateway(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		if now, err := pidIn(s.pidFile()); err == nil && now != old {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("no new gateway took over:\n%s", s.Gateway.Log())
		}
	}
}

// SignalGateway sends SIGHUP to the gateway that serves.
func (s *Stack) SignalGateway() error {
	pid, err := pidIn(s.pidFile())
	if err != nil {
		return err
	}
	return syscall.Kill(pid, syscall.SIGHUP)
}

func (s *Stack) pidFile() string { return filepath.Join(s.opts.Dir, "gateway", "pid") }

func pidIn(path string) (int, error) {
	b, err := os.ReadFile(path) // #nosec G304 -- a file of this stack
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(b)))
}

// AgentURL is where the gateway finds the agent.
func (s *Stack) AgentURL() string {
	if s.opts.AgentURL != "" {
		return s.opts.AgentURL
	}
	return "http://" + s.agentAddr
}

// Down kills what runs.
func (s *Stack) Down() {
	for _, p := range []*Process{s.Gateway, s.Agent} {
		if p != nil {
			p.Kill()
		}
	}
}

// Logs is what both wrote last.
func (s *Stack) Logs() string {
	out := ""
	if s.Gateway != nil {
		out += "--- gateway\n" + s.Gateway.Log()
	}
	if s.Agent != nil {
		out += "\n--- agent\n" + s.Agent.Log()
	}
	return out
}
