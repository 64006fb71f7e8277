package shell

import (
	"mvdan.cc/sh/v3/syntax"
)

// plainBuiltins are the interpreter's own commands that a plain line may use;
// the others are those of commands.go that write nothing.
var plainBuiltins = map[string]bool{
	"echo": true, "printf": true, "pwd": true, "cd": true, "true": true, "false": true, ":": true,
	"test": true, "[": true, "exit": true,
}

func isPlainCommand(name string) bool {
	c, ok := commands[name]
	return plainBuiltins[name] || ok && !c.writes
}

// plain reports whether a line only reads the workspace. It names what is allowed:
// a kind of node that is not named here asks. That the files it reads are inside
// of the workspace is seen to when they are opened.
func plain(file *syntax.File) bool {
	p := plainWalk{ok: true}
	syntax.Walk(file, p.visit)
	return p.ok && p.substs <= maxSubsts
}

type plainWalk struct {
	ok     bool
	substs int
	loops  int
}

func (p *plainWalk) visit(n syntax.Node) bool {
	if n == nil || !p.ok {
		return p.ok
	}
	switch n := n.(type) {
	case *syntax.File, *syntax.Stmt, *syntax.BinaryCmd, *syntax.Subshell, *syntax.Block, *syntax.IfClause,
		*syntax.TestClause, *syntax.BinaryTest, *syntax.UnaryTest, *syntax.ParenTest, *syntax.Comment,
		*syntax.Word, *syntax.Lit, *syntax.DblQuoted, *syntax.SglQuoted:
	case *syntax.WordIter:
	case *syntax.ForClause:
		_, words := n.Loop.(*syntax.WordIter)
		p.loops++ // at most one: nested ones multiply
		p.ok = words && !n.Select && p.loops == 1
	case *syntax.CallExpr:
		p.ok = plainCall(n)
	case *syntax.ParamExp:
		p.ok = simpleParam(n)
	case *syntax.CmdSubst:
		p.substs++
		p.ok = !n.TempFile && !n.ReplyVar && p.loops == 0
	case *syntax.Redirect:
		p.ok = plainRedirect(n)
	default:
		p.ok = false
	}
	return p.ok
}

func plainCall(call *syntax.CallExpr) bool {
	if len(call.Assigns) > 0 || len(call.Args) == 0 {
		return false
	}
	name, known := literal(call.Args[0])
	return known && isPlainCommand(name)
}

func simpleParam(p *syntax.ParamExp) bool {
	return p.Flags == nil && !p.Excl && !p.Width && !p.IsSet && p.NestedParam == nil && p.Index == nil &&
		len(p.Modifiers) == 0 && p.Slice == nil && p.Repl == nil && p.Names == 0 && p.Exp == nil
}

func plainRedirect(r *syntax.Redirect) bool {
	switch r.Op {
	case syntax.RdrIn, syntax.Hdoc, syntax.DashHdoc, syntax.WordHdoc:
		return true
	case syntax.DplOut:
		to := r.Word.Lit()
		return to == "1" || to == "2"
	case syntax.RdrOut, syntax.AppOut, syntax.RdrAll, syntax.AppAll:
		return r.Word.Lit() == "/dev/null"
	}
	return false
}
