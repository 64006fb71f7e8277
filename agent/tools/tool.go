package tools

import (
	"context"
	"encoding/json"
	"time"

	"github.com/loongclaw/loongclaw/agent/files"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/memory"
)

// Tool is one thing that the agent can do.
type Tool interface {
	Spec() loop.Spec
	// ReadOnly says that a call changes nothing, so that it may run again after
	// a crash.
	ReadOnly() bool
	// Foreign says that an output holds text that others than the user and the
	// agent may have written, so that what the model does after reading it may be
	// their wish and not the user's.
	Foreign() bool
	// Judge says what a call needs before it may run.
	Judge(args json.RawMessage, env Env) Verdict
	// Run does the call. An error's text goes to the model and the user, so it
	// says what to do next and holds no secret.
	Run(ctx context.Context, args json.RawMessage, env Env) (output string, err error)
}

// Catalog is tools that a user has beside the fixed ones, and that may change while
// the agent runs.
type Catalog interface {
	// Tools returns what a user has now, in an order that stays. It is asked before
	// every question to a model and every call, so it waits for nothing: a catalog
	// that does not know yet has none. A tool of a fixed one's name is left out.
	Tools(user string) []Tool
}

// Env is whose call it is and what it may use.
type Env struct {
	User     string
	Session  string
	UserText string // the user's own message that this turn answers
	Files    Files
	Memory   Memory
	Sight    *Sight // what of others the model has read; nil is nothing
}

// Verdict is what a call needs before it may run.
type Verdict struct {
	Kind   string // VerdictRun, VerdictAsk or VerdictDeny
	Scope  string // of VerdictAsk: exactly what an approval would allow, for people and as the key of a standing one
	Reason string // of VerdictDeny: why, and what to do instead
	// Always says, of VerdictAsk, that the owner's list of tools that run without
	// asking does not count.
	Always bool
	// Sources says, of VerdictAsk, where text comes from that others may have written
	// and the model has before it. Where there is any, no standing approval counts:
	// the call may be their wish.
	Sources []string
}

// limited is a tool whose calls may take longer than others.
type limited interface {
	Limit() time.Duration
}

// roomy is a tool whose output may be longer than others'.
type roomy interface {
	MaxOutput() int
}

// defined is a tool whose description and schema come from somebody else, who is named.
type defined interface {
	DefinedBy() string
}

// hidden is a tool that may be called and is not declared to models.
type hidden interface {
	Hidden() bool
}

// standIn is a tool whose calls are those of another one.
type standIn interface {
	StandsFor(args json.RawMessage) (name string, meant json.RawMessage, ok bool)
}

// The verdicts.
const (
	VerdictRun  = "run"
	VerdictAsk  = "ask"
	VerdictDeny = "deny"
)

// Files is a user's workspace (package files).
type Files interface {
	Read(ctx context.Context, path string) ([]byte, error)
	Write(ctx context.Context, path string, body []byte) error
	List(ctx context.Context, dir string) ([]FileInfo, error)
	Remove(ctx context.Context, path string) error
	Walk(ctx context.Context, fn func(files.File) error) error
	// Foreign says which files hold text of others; NoteForeign notes that one is about
	// to be written while the model sees such text.
	Foreign(ctx context.Context) (files.Foreign, error)
	NoteForeign(ctx context.Context, path string, from []string) error
}

// FileInfo is one entry of a folder.
type FileInfo = files.Info

var _ Files = (*files.Workspace)(nil)

// Memory is what a user's tools may do with the memory (package memory).
type Memory interface {
	Save(ctx context.Context, item memory.Item) (memory.Item, error)
	Search(ctx context.Context, q memory.Query) ([]memory.Item, error)
	Forget(ctx context.Context, id string) error
}
