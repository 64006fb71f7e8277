package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/tools/shell"
	"github.com/loongclaw/loongclaw/agent/websearch"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// DefaultAutoApprove are the tools that run without asking when the owner does
// not say otherwise: those that only read, and memory_save. Remembering is what
// the user has the agent for; it adds to the agent's own notes, which the user
// sees and can delete, and asking each time would teach people to say yes
// without looking.
var DefaultAutoApprove = []string{"read_file", "list_directory", "files_search", "get_current_time", "memory_search", "memory_save"}

// Config is what the tools need besides each call's Env. The zero value works.
type Config struct {
	AutoApprove  []string            // tools that run without asking; nil means DefaultAutoApprove
	WorkspaceDir string              // where exec_shell keeps working copies; "" leaves exec_shell out
	ShellTimeout time.Duration       // the longest command; 0 means 30 s
	ShellPath    string              // PATH of programs; "" means the usual folders
	ShellLimits  shell.Limits        // of programs; the zero value has the usual ones
	WebTimeout   time.Duration       // the longest fetch or search; 0 means 30 s
	WebHosts     []string            // hosts that web_fetch reads without asking
	WebEgress    string              // where web_fetch goes out, when not by itself
	Search       *websearch.Settings // whom web_search asks; nil leaves web_search out
	MaxOutput    int                 // bytes of an output; 0 means 32 KiB; at least 8 KiB
	Catalogs     []Catalog           // of tools that may change while the agent runs
	Worker       Worker              // computes what hostile input could make endless; without one such calls fail
	Patience     time.Duration       // how long a call may go on after its end was asked for; 0 means 5 s
	Log          *slog.Logger
	Now          func() time.Time

	// Mark puts what an egress proxy asks for on a request to it; nil is nothing.
	Mark func(*http.Request)

	// Resolve and Dial reach the network for web_fetch and web_search; nil means the real ones.
	// Dial is only given addresses that passed the check.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	Dial    func(ctx context.Context, network, address string) (net.Conn, error)
}

func (c Config) withDefaults() Config {
	if c.AutoApprove == nil {
		c.AutoApprove = DefaultAutoApprove
	}
	if c.ShellTimeout <= 0 {
		c.ShellTimeout = 30 * time.Second
	}
	if c.ShellPath == "" {
		c.ShellPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	}
	if c.WebTimeout <= 0 {
		c.WebTimeout = 30 * time.Second
	}
	if c.MaxOutput <= 0 {
		c.MaxOutput = 32 << 10
	}
	c.MaxOutput = max(c.MaxOutput, 8<<10) // room for the marks
	if c.Worker == nil {
		c.Worker = noWorker{}
	}
	if c.Patience <= 0 {
		c.Patience = 5 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// Box holds the tools and the policy over them.
type Box struct {
	fixed    []Tool
	byName   map[string]Tool // the fixed ones
	catalogs []Catalog
	auto     map[string]bool
	max      int
	log      *slog.Logger

	patience time.Duration
	left     left
}

// New makes the box of built-in tools, with extra ones behind them.
func New(config Config, extra ...Tool) *Box {
	c := config.withDefaults()
	b := &Box{
		byName: map[string]Tool{}, catalogs: c.Catalogs, auto: map[string]bool{}, max: c.MaxOutput, log: c.Log,
		patience: c.Patience, left: left{calls: map[string]int{}},
	}
	for _, name := range c.AutoApprove {
		b.auto[strings.TrimSpace(name)] = true
	}
	b.add(readFile{max: c.MaxOutput}, writeFile{}, listDirectory{}, filesSearch{room: c.MaxOutput - 1000, time: lookTime})
	if c.WorkspaceDir != "" {
		// A command that only reads runs unasked where the tools that read do.
		b.add(newExecShell(c, b.auto["read_file"] && b.auto["list_directory"]))
	}
	b.add(currentTime{now: c.Now}, todoWrite{}, memorySave{}, memorySearch{}, memoryForget{}, newWebFetch(c))
	if c.Search != nil {
		b.add(newWebSearch(c))
	}
	b.add(extra...)
	return b
}

// add puts tools behind the others; one of a name that is there takes its place.
func (b *Box) add(tools ...Tool) {
	for _, t := range tools {
		name := t.Spec().Name
		if at := slices.IndexFunc(b.fixed, func(old Tool) bool { return old.Spec().Name == name }); at >= 0 {
			b.fixed[at] = t
		} else {
			b.fixed = append(b.fixed, t)
		}
		b.byName[name] = t
	}
}

// For returns the tools that a user has now: the fixed ones, and behind them those
// of the catalogs, of which the first of a name counts.
func (b *Box) For(user string) *Set {
	s := &Set{box: b, tools: b.fixed, byName: b.byName}
	for _, catalog := range b.catalogs {
		for _, t := range b.offered(catalog, user) {
			s.add(t)
		}
	}
	return s
}

// offered returns a catalog's tools; one that panics has none.
func (b *Box) offered(catalog Catalog, user string) (tools []Tool) {
	defer func() {
		if p := recover(); p != nil {
			b.log.Error("a catalog of tools panicked", "panic", fmt.Sprint(p))
			tools = nil
		}
	}()
	return catalog.Tools(user)
}

// Judge says what a call needs before it may run.
func (b *Box) Judge(name string, args json.RawMessage, env Env) Verdict {
	return b.For(env.User).Prepare(name, args, env).Verdict
}

// Run does a call that Judge let run, or that the user approved.
func (b *Box) Run(ctx context.Context, name string, args json.RawMessage, env Env) (output string, err error) {
	return b.For(env.User).Prepare(name, args, env).Run(ctx)
}

// errDenied is the cause of a call that the policy does not let run.
var errDenied = errors.New("tools: denied by the policy")

// callError is an error whose text is for the model and the user.
type callError struct {
	text  string
	cause error
}

func (e *callError) Error() string { return e.text }
func (e *callError) Unwrap() error { return e.cause }

// text is what an error says to the model: what happened and what to do next,
// never a cause.
func text(err error) string {
	var c *callError
	if errors.As(err, &c) {
		return c.text
	}
	var f *fault.Error
	if errors.As(err, &f) {
		if f.Hint == "" {
			return f.Message
		}
		return f.Message + "; " + f.Hint
	}
	if errors.Is(err, context.Canceled) {
		return "the call was cancelled"
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "the call took too long"
	}
	return "the call failed inside; try again, or another way"
}

// failed makes an error for the model.
func failed(format string, a ...any) error {
	return &callError{text: fmt.Sprintf(format, a...)}
}

func deny(reason string) Verdict { return Verdict{Kind: VerdictDeny, Reason: reason} }

func ask(scope string) Verdict { return Verdict{Kind: VerdictAsk, Scope: scope} }
