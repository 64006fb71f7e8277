package shell

import (
	"fmt"
	"path"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Kind is what a command line needs.
type Kind int

// The kinds.
const (
	Deny  Kind = iota // never runs
	Ask               // runs when the user says so
	Plain             // reads the workspace and nothing else: runs unasked
)

// Verdict is the judgement over a command line.
type Verdict struct {
	Kind   Kind
	Reason string // of Deny: why, and what to do instead
}

const (
	maxCommand = 16 << 10 // bytes
	maxNesting = 4        // of sh -c "sh -c …"
	maxSubsts  = 8        // substitutions of a plain command: each is held in memory
)

// blackList is what the original refuses: commands that destroy.
var blackList = map[string]bool{
	"rm": true, "mv": true, "dd": true, "truncate": true, "mkfs": true, "shutdown": true, "reboot": true,
	"kill": true, "pkill": true, "killall": true, "chmod": true, "chown": true,
}

// hidden are builtins that run text which nobody has judged, or that could make
// the interpreter call itself without end.
var hidden = map[string]bool{
	"eval": true, "source": true, ".": true, "trap": true, "exec": true, "alias": true, "builtin": true,
	"command": true, "mapfile": true, "readarray": true,
}

// wrappers run the command that their arguments name.
var wrappers = map[string]bool{
	"env": true, "sudo": true, "doas": true, "su": true, "nohup": true, "nice": true, "ionice": true, "timeout": true,
	"xargs": true, "parallel": true, "setsid": true, "stdbuf": true, "time": true, "watch": true, "strace": true,
	"busybox": true, "toybox": true, "find": true, "chroot": true, "unshare": true, "script": true, "flock": true,
}

var shells = map[string]bool{"sh": true, "bash": true, "dash": true, "ash": true, "zsh": true, "ksh": true, "su": true}

// BlackListed is what the original says to a command of its black list.
const BlackListed = "黑名单指令，请自己操作。"

func blackListed(name string) bool {
	base := strings.ToLower(path.Base(name))
	return blackList[base] || strings.HasPrefix(base, "mkfs.")
}

func blackReason(name string) string {
	return fmt.Sprintf("%s %q is on the black list: tell the user what you wanted to do, so that they can do it on the files page or in their own terminal", BlackListed, path.Base(name))
}

// Judge judges a command line without running any of it.
func Judge(command string) Verdict { return judge(command, 0) }

func judge(command string, depth int) Verdict {
	if reason := unreadable(command); reason != "" {
		return Verdict{Deny, reason}
	}
	file, err := parse(command)
	if err != nil {
		return Verdict{Deny, fmt.Sprintf("the command is not valid shell: %v; correct it", err)}
	}
	if len(file.Stmts) == 0 {
		return Verdict{Deny, "the command is empty"}
	}
	if reason := refused(file, depth); reason != "" {
		return Verdict{Deny, reason}
	}
	if plain(file) {
		return Verdict{Kind: Plain}
	}
	if reason := ambiguous(command, file); reason != "" && depth == 0 {
		return Verdict{Deny, reason}
	}
	return Verdict{Kind: Ask}
}

func parse(command string) (*syntax.File, error) {
	return syntax.NewParser(syntax.Variant(syntax.LangBash), syntax.KeepComments(true)).Parse(strings.NewReader(command), "command")
}

// refused finds what never runs, anywhere in the command.
func refused(file *syntax.File, depth int) (reason string) {
	loops := 0
	syntax.Walk(file, func(n syntax.Node) bool {
		if reason != "" {
			return false
		}
		switch n := n.(type) {
		case *syntax.FuncDecl:
			reason = "functions are not supported; write the commands out"
		case *syntax.CoprocClause:
			reason = "coprocesses are not supported; use a pipe"
		case *syntax.ProcSubst:
			reason = "process substitution is not supported; use a pipe or a file"
		case *syntax.Stmt:
			if n.Background || n.Coprocess || n.Disown {
				reason = "background commands are not supported: a command ends with its call; leave out the &"
			}
		case *syntax.CmdSubst:
			if hasLoop(n) {
				reason = "a loop inside of $(…) is not supported: its output has no limit; write to a file"
			}
		case *syntax.CallExpr:
			reason = refusedCall(n, depth)
			if reason == "" {
				reason = growing(n, &loops)
			}
		}
		return reason == ""
	})
	return reason
}

// growing refuses assignments that could double a value again and again.
func growing(call *syntax.CallExpr, many *int) string {
	for _, a := range call.Assigns {
		refs := 0
		syntax.Walk(a, func(n syntax.Node) bool {
			if p, ok := n.(*syntax.ParamExp); ok {
				refs++
				if p.Repl != nil {
					refs++
				}
			}
			return true
		})
		if refs > 1 {
			*many += refs - 1
		}
	}
	if *many > 12 {
		return "so many variables in assignments are not supported; write to a file"
	}
	return ""
}

func hasLoop(n syntax.Node) (found bool) {
	syntax.Walk(n, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.WhileClause:
			found = true
		case *syntax.ForClause:
			if _, words := n.Loop.(*syntax.WordIter); !words {
				found = true
			}
		}
		return !found
	})
	return found
}

func refusedCall(call *syntax.CallExpr, depth int) string {
	if len(call.Args) == 0 {
		return ""
	}
	name, known := literal(call.Args[0])
	if !known {
		return "" // asks; and the interpreter looks again when the name is known
	}
	if blackListed(name) {
		return blackReason(name)
	}
	if hidden[name] {
		if name == "command" && len(call.Args) > 1 && call.Args[1].Lit() == "-v" {
			return ""
		}
		return fmt.Sprintf("%q is not supported: it hides what is run; write the command itself", name)
	}
	base := path.Base(name)
	inline := shells[base]
	if !wrappers[base] && !inline {
		return ""
	}
	for _, w := range call.Args[1:] {
		arg, known := literal(w)
		if !known {
			continue
		}
		if blackListed(arg) {
			return blackReason(arg)
		}
		inline = inline || shells[path.Base(arg)]
		if inline && strings.ContainsAny(arg, " ;|&\n\t") {
			if depth >= maxNesting {
				return "the command is nested too deeply; write it out"
			}
			if v := judge(arg, depth+1); v.Kind == Deny && strings.Contains(v.Reason, BlackListed) {
				return v.Reason
			}
		}
	}
	return ""
}

// literal gives a word's value when nothing in it is expanded.
func literal(w *syntax.Word) (string, bool) {
	var b strings.Builder
	for _, p := range w.Parts {
		switch p := p.(type) {
		case *syntax.Lit:
			b.WriteString(unescape(p.Value))
		case *syntax.SglQuoted:
			if p.Dollar {
				return "", false
			}
			b.WriteString(p.Value)
		case *syntax.DblQuoted:
			for _, q := range p.Parts {
				lit, ok := q.(*syntax.Lit)
				if !ok {
					return "", false
				}
				b.WriteString(unescape(lit.Value))
			}
		default:
			return "", false
		}
	}
	return b.String(), true
}

func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	escaped := false
	for _, r := range s {
		if r == '\\' && !escaped {
			escaped = true
			continue
		}
		if r != '\n' || !escaped {
			b.WriteRune(r)
		}
		escaped = false
	}
	return b.String()
}
