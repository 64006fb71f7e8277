package tools

import (
	"context"
	_ "embed" // the description
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/tools/shell"
	"github.com/loongclaw/loongclaw/agent/tools/worker"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

//go:embed exec_shell.md
var execShellText string

const execShellParameters = `{"type":"object","properties":{
"command":{"type":"string","description":"the command line"},
"timeout":{"type":"integer","minimum":1,"default":30000,"description":"milliseconds"}},
"required":["command"]}`

// returnTime is how long writing back may take once a command is over: also
// after a cancel, what it did is kept.
const returnTime = time.Minute

type execShell struct {
	config Config
	plain  bool // lines that only read run unasked

	mu     *sync.Mutex
	copies map[string]*shell.Copy // by user
}

func newExecShell(c Config, plain bool) execShell {
	return execShell{config: c, plain: plain, mu: &sync.Mutex{}, copies: map[string]*shell.Copy{}}
}

type execShellArgs struct {
	Command *string `json:"command"`
	Timeout float64 `json:"timeout"`
}

// execShellResult has the original's three fields; the last is there when
// something that the command did could not be written back.
type execShellResult struct {
	Stdout    string   `json:"stdout"`
	Stderr    *string  `json:"stderr"`
	ExitCode  int      `json:"exitCode"`
	Conflicts []string `json:"conflicts,omitempty"`
	Note      string   `json:"note,omitempty"` // that files of the workspace hold text of others
}

func (execShell) Spec() loop.Spec { return spec("exec_shell", execShellText, execShellParameters) }
func (execShell) ReadOnly() bool  { return false }

// Limit is the longest command, with what is copied before and after it.
func (t execShell) Limit() time.Duration { return t.config.ShellTimeout + 2*returnTime }
func (execShell) Foreign() bool          { return true } // it prints files, and what programs bring

func (execShell) parse(raw json.RawMessage) (command string, timeout time.Duration, err error) {
	var a execShellArgs
	if err := decode(raw, &a); err != nil {
		return "", 0, err
	}
	if a.Command == nil {
		return "", 0, missing("command")
	}
	if a.Timeout < 0 {
		return "", 0, failed("timeout must not be negative")
	}
	// A day is more than any limit, and does not overflow.
	ms := min(a.Timeout, 86_400_000)
	return strings.TrimSpace(*a.Command), time.Duration(ms) * time.Millisecond, nil
}

func (t execShell) Judge(raw json.RawMessage, _ Env) Verdict {
	command, _, err := t.parse(raw)
	if err != nil {
		return deny(text(err))
	}
	switch v := shell.Judge(command); {
	case v.Kind == shell.Deny:
		return deny(v.Reason)
	case v.Kind == shell.Plain && t.plain:
		return Verdict{Kind: VerdictRun}
	}
	// Each command is judged by itself, whatever the owner's list says of the tool.
	return Verdict{Kind: VerdictAsk, Scope: "exec_shell " + command, Always: true}
}

func (t execShell) Run(ctx context.Context, raw json.RawMessage, env Env) (string, error) {
	command, timeout, err := t.parse(raw)
	if err != nil {
		return "", err
	}
	store, ok := env.Files.(shell.Files)
	if !ok {
		return "", failed("this workspace cannot run commands; use the tools for files")
	}
	work, err := t.copyOf(env.User)
	if err != nil {
		return "", err
	}
	release, err := work.Take(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	if err := work.Fill(ctx, store); err != nil {
		return "", err
	}
	// Which files a command reads nobody knows: where one holds text of others, its
	// output may, and so may what it changes.
	foreign, err := env.Files.Foreign(ctx)
	if err != nil {
		return "", err
	}
	note := sawWritten(env, foreign.Below(""))
	if from := env.Sight.Outside(); len(from) > 0 {
		store = noting{store, env.Files, from}
	}
	if timeout == 0 || timeout > t.config.ShellTimeout {
		timeout = t.config.ShellTimeout
	}
	// Judged again: a line that reads is held to reading, whoever approved it.
	plain := shell.Judge(command).Kind == shell.Plain
	result, err := t.work(ctx, shell.Job{
		Command: command, Plain: plain, Dir: work.Dir, Path: t.config.ShellPath,
		Timeout: timeout, MaxOutput: t.config.MaxOutput * 3 / 8, Limits: t.config.ShellLimits,
	})
	if err != nil {
		return "", err
	}
	out := execShellResult{Stdout: result.Stdout, Stderr: textOrNull(result.Stderr), ExitCode: result.Exit, Note: note}
	if !plain {
		if out.Conflicts, err = t.giveBack(ctx, work, store); err != nil {
			return "", err
		}
	}
	return toJSON(out)
}

// work interprets a line in a process of its own. What the line did with that
// process, such as filling its memory, is part of the result.
func (t execShell) work(ctx context.Context, job shell.Job) (shell.Result, error) {
	input, err := json.Marshal(job)
	if err != nil {
		return shell.Result{}, fmt.Errorf("tools: %w", err)
	}
	output, err := t.config.Worker.Run(ctx, worker.Task{
		Name: taskShell, Input: input, Time: job.Timeout + shellSlack, Grace: shellGrace, Output: 12*job.MaxOutput + 64<<10, StartsPrograms: !job.Plain,
	})
	if what := tooMuch(err); what != "" {
		return shell.Stopped(fmt.Sprintf("[stopped: %s; what it had printed is lost]", what)), nil
	}
	if ctx.Err() != nil && err != nil {
		return shell.Stopped("[the command was cancelled]"), nil
	}
	var result shell.Result
	if err == nil {
		err = json.Unmarshal(output, &result)
	}
	return result, err
}

func (t execShell) giveBack(ctx context.Context, work *shell.Copy, store shell.Files) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), returnTime)
	defer cancel()
	problems, err := work.Return(ctx, store)
	if err != nil {
		return nil, fault.Wrap(err, fault.CodeStoreFailed, "the command ran, but what it changed was not kept", "look at the files before you repeat it")
	}
	const most = 20
	if len(problems) > most {
		problems = append(problems[:most], "and others")
	}
	return problems, nil
}

func (t execShell) copyOf(user string) (*shell.Copy, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c, ok := t.copies[user]; ok {
		return c, nil
	}
	c, err := shell.OpenCopy(t.config.WorkspaceDir, user)
	if err == nil {
		t.copies[user] = c
	}
	return c, err
}

// textOrNull is null for nothing, as the original has it for stderr.
func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

var _ Tool = execShell{}
