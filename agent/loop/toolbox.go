package loop

import "context"

// Toolbox is what a turn may do, bound to its user and session.
type Toolbox interface {
	Specs() []Spec
	ReadOnly(name string) bool
	// Source says where a call's result comes from, if others may have written it and
	// it does not say so itself; it is fenced then. Else it is empty.
	Source(c Call) string
	Permit(c Call) Permission
	Run(ctx context.Context, c Call) (output string, err error)
}

// Interpreter is a Toolbox in which a call may stand for another one. What it means
// is asked once, before the call is recorded.
type Interpreter interface {
	Meant(c Call) Call
}

// Delegator is a Toolbox some of whose tools the client brought along and runs itself.
type Delegator interface {
	Delegates(name string) bool
}

// Permission is what a call needs.
type Permission struct {
	Kind    PermissionKind
	Scope   string   // of Ask: exactly what an approval would allow
	Sources []string // of Ask: where foreign text comes from that makes it ask
	Reason  string   // of Deny: why
}

// PermissionKind says what a call needs.
type PermissionKind int

// What a call needs before it may run.
const (
	Deny PermissionKind = iota // the zero value lets nothing run
	Ask
	Allow
)
