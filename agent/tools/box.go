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

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/tools/shell"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// DefaultAutoApprove are the tools that run without asking when the owner does
// not say otherwise: those that only read, and memory_save. Remembering is what
// the user has the agent for; it adds to the agent's own notes, which the user
// sees and can delete, and asking each time would teach people to say yes
// without looking.
var DefaultAutoApprove = []string{"read_file", "list_directory", "get_current_time", "memory_search", "memory_save"}

// Config is what the tools need besides each call's Env. The zero value works.
type Config struct {
	AutoApprove  []string      // tools that run without asking; nil means DefaultAutoApprove
	WorkspaceDir string        // where exec_shell keeps working copies; "" leaves exec_shell out
	ShellTimeout time.Duration // the longest command; 0 means 30 s
	ShellPath    string        // PATH of programs; "" means the usual folders
	ShellLimits  shell.Limits  // of programs; the zero value has the usual ones
	WebTimeout   time.Duration // the longest fetch; 0 means 30 s
	WebHosts     []string      // hosts that web_fetch reads without asking
	WebEgress    string        // where web_fetch goes out, when not by itself
	MaxOutput    int           // bytes of an output; 0 means 32 KiB; at least 8 KiB
	Worker       Worker        // computes what hostile input could make endless; without one such calls fail
	Patience     time.Duration // how long a call may go on after its end was asked for; 0 means 5 s
	Log          *slog.Logger
	Now          func() time.Time

	// Mark puts what an egress proxy asks for on a request to it; nil is nothing.
	Mark func(*http.Request)

	// Resolve and Dial reach the network for web_fetch; nil means the real ones.
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
	tools []Tool
	byKey map[string]Tool
	auto  map[string]bool
	max   int
	log   *slog.Logger

	patience time.Duration
	left     left
}

// New makes the box of built-in tools, with extra ones behind them.
func New(config Config, extra ...Tool) *Box {
	c := config.withDefaults()
	b := &Box{byKey: map[string]Tool{}, auto: map[string]bool{}, max: c.MaxOutput, log: c.Log, patience: c.Patience, left: left{calls: map[string]int{}}}
	for _, name := range c.AutoApprove {
		b.auto[strings.TrimSpace(name)] = true
	}
	b.add(readFile{max: c.MaxOutput}, writeFile{}, listDirectory{})
	if c.WorkspaceDir != "" {
		// A command that only reads runs unasked where the tools that read do.
		b.add(newExecShell(c, b.auto["read_file"] && b.auto["list_directory"]))
	}
	b.add(currentTime{now: c.Now}, memorySave{}, memorySearch{}, memoryForget{}, newWebFetch(c))
	b.add(extra...)
	return b
}

// add puts tools behind the others; one of a name that is there takes its place.
func (b *Box) add(tools ...Tool) {
	for _, t := range tools {
		name := t.Spec().Name
		if at := slices.IndexFunc(b.tools, func(old Tool) bool { return old.Spec().Name == name }); at >= 0 {
			b.tools[at] = t
		} else {
			b.tools = append(b.tools, t)
		}
		b.byKey[name] = t
	}
}

// Specs describes the tools to a model.
func (b *Box) Specs() []loop.Spec {
	out := make([]loop.Spec, len(b.tools))
	for i, t := range b.tools {
		out[i] = t.Spec()
	}
	return out
}

// Knows says whether there is such a tool.
func (b *Box) Knows(name string) bool {
	_, ok := b.byKey[name]
	return ok
}

// ReadOnly says whether a call of the tool changes nothing.
func (b *Box) ReadOnly(name string) bool {
	t, ok := b.byKey[name]
	return ok && t.ReadOnly()
}

// Source says where a call's output comes from, if others than the user and the
// agent may have written it; else it is empty. Of a tool that is not here nothing is
// known, so its output counts.
func (b *Box) Source(name string, args json.RawMessage) Source {
	t, ok := b.byKey[name]
	switch {
	case !ok:
		return Source{What: shown(name), Outside: true}
	case !t.Foreign():
		return Source{}
	}
	s := Source{What: name}
	if n, ok := t.(sourced); ok {
		if what := n.SourceOf(args); what != "" {
			s.What = shown(what)
		}
	}
	_, s.Outside = t.(outside)
	_, s.Fenced = t.(selfFenced)
	return s
}

// Judge says what a call needs before it may run. A call that cannot be right is
// denied with what is wrong about it.
func (b *Box) Judge(name string, args json.RawMessage, env Env) (v Verdict) {
	defer func() {
		if p := recover(); p != nil {
			b.log.Error("a tool's judgement panicked", "tool", name, "panic", fmt.Sprint(p))
			v = deny("the call could not be judged, so it does not run; put it more simply")
		}
	}()
	t, ok := b.byKey[name]
	if !ok {
		return deny(b.unknown(name))
	}
	args, err := object(args)
	if err != nil {
		return deny(text(err))
	}
	v = t.Judge(args, env)
	if v.Kind == VerdictAsk && b.auto[name] && !v.Always {
		return Verdict{Kind: VerdictRun}
	}
	// What only reads here tells nobody anything, and may go on standing approvals.
	if v.Kind == VerdictAsk && v.Sources == nil && !t.ReadOnly() {
		v.Sources = env.Sight.Outside()
	}
	return v
}

// Run does a call that Judge let run, or that the user approved. What Judge
// denies does not run, whatever was approved. It returns at the latest a little
// after the call's own limit, or after ctx has ended, whatever the tool does; the
// error is then loop.ErrNotEnded.
func (b *Box) Run(ctx context.Context, name string, args json.RawMessage, env Env) (output string, err error) {
	if v := b.Judge(name, args, env); v.Kind == VerdictDeny {
		return "", &callError{text: v.Reason, cause: errDenied}
	}
	args, err = object(args)
	if err != nil {
		return "", &callError{text: text(err), cause: err}
	}
	t := b.byKey[name]
	if s := b.Source(name, args); s.What != "" {
		env.Sight.Saw(s)
	}
	output, err = b.bounded(ctx, t, args, env)
	if err != nil {
		return capped(output, b.max), &callError{text: capped(text(err), b.max), cause: err}
	}
	return capped(output, b.max), nil
}

func (b *Box) unknown(name string) string {
	names := make([]string, 0, len(b.byKey))
	for n := range b.byKey {
		names = append(names, n)
	}
	slices.Sort(names)
	return fmt.Sprintf("there is no tool %.60q; there are: %s", name, strings.Join(names, ", "))
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
