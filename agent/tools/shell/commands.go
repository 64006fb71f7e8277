package shell

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/interp"
)

// command is one of our own commands: the usual options of the tool of that
// name, over the sandbox.
type command struct {
	run    func(*call) int
	writes bool
}

// commands are there in any image.
var commands map[string]command

// The map's functions reach the map through the interpreter's dispatch, so it
// cannot be an initial value.
func init() {
	commands = map[string]command{
		"ls": {run: ls}, "cat": {run: cat}, "head": {run: head}, "tail": {run: tail}, "grep": {run: grep}, "wc": {run: wc},
		"sort": {run: sortLines}, "uniq": {run: uniq}, "cut": {run: cutFields}, "tr": {run: tr}, "tac": {run: tac}, "nl": {run: nl},
		"find": {run: find}, "date": {run: date}, "basename": {run: baseName}, "dirname": {run: dirName}, "seq": {run: seq},
		"sha256sum": {run: sha256Sum},
		"mkdir":     {run: mkdir, writes: true}, "touch": {run: touch, writes: true}, "cp": {run: cp, writes: true},
		"tee": {run: tee, writes: true}, "sleep": {run: sleep},
	}
}

// call is one call of a command.
type call struct {
	ctx     context.Context //nolint:containedctx // lives as long as the call
	sandbox *sandbox
	hc      interp.HandlerContext
	name    string
	args    []string
	failed  bool
}

func (c *call) printf(format string, a ...any) {
	_, _ = fmt.Fprintf(c.hc.Stdout, format, a...) // a closed pipe ends the reader below
}

// fail reports trouble; the call goes on and ends with a status.
func (c *call) fail(format string, a ...any) int {
	c.failed = true
	_, _ = fmt.Fprintf(c.hc.Stderr, "%s: %s\n", c.name, fmt.Sprintf(format, a...))
	return 2
}

func (c *call) failErr(name string, err error) int {
	var p *os.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return c.fail("%s: %v", name, err)
}

// options are single letters; those in valued take a value. "-5" is -n 5.
func (c *call) options(plain, valued string) (opts map[rune]string, ok bool) {
	opts = map[rune]string{}
	for len(c.args) > 0 {
		arg := c.args[0]
		if arg == "-" || !strings.HasPrefix(arg, "-") {
			return opts, true
		}
		c.args = c.args[1:]
		if arg == "--" {
			return opts, true
		}
		if _, err := strconv.Atoi(arg[1:]); err == nil && strings.ContainsRune(valued, 'n') {
			opts['n'] = arg[1:]
			continue
		}
		if !c.letters(arg[1:], plain, valued, opts) {
			return nil, false
		}
	}
	return opts, true
}

func (c *call) letters(letters, plain, valued string, opts map[rune]string) bool {
	for i, r := range letters {
		switch {
		case strings.ContainsRune(plain, r):
			opts[r] = "yes"
		case strings.ContainsRune(valued, r):
			value := letters[i+len(string(r)):]
			if value == "" {
				if len(c.args) == 0 {
					c.fail("the option -%c needs a value", r)
					return false
				}
				value, c.args = c.args[0], c.args[1:]
			}
			opts[r] = value
			return true
		default:
			c.fail("the option -%c is not supported here; there are: -%s%s", r, plain, valued)
			return false
		}
	}
	return true
}

func (c *call) number(opts map[rune]string, option rune, fallback int) (int, bool) {
	text, given := opts[option]
	if !given {
		return fallback, true
	}
	n, err := strconv.Atoi(strings.TrimPrefix(text, "+"))
	if err != nil || n < 0 {
		c.fail("%q is not a number", text)
		return 0, false
	}
	return n, true
}

// stdin is what comes through a pipe, nothing when there is none.
func (c *call) stdin() io.Reader {
	if c.hc.Stdin == nil {
		return strings.NewReader("")
	}
	return &counted{c.hc.Stdin, c}
}

// counted counts what is read from a pipe, too.
type counted struct {
	from io.Reader
	call *call
}

func (r *counted) Read(p []byte) (int, error) {
	if err := r.call.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.from.Read(p)
	if spent := r.call.sandbox.spend(n); spent != nil {
		return 0, spent
	}
	return n, err
}

// each calls do for every file named, or for stdin when none is.
func (c *call) each(do func(name string, r io.Reader) error) {
	names := c.args
	if len(names) == 0 {
		names = []string{"-"}
	}
	for _, name := range names {
		if c.ctx.Err() != nil {
			return
		}
		if err := c.one(name, do); err != nil {
			c.failErr(name, err)
		}
	}
}

func (c *call) one(name string, do func(string, io.Reader) error) error {
	if name == "-" {
		return do(name, c.stdin())
	}
	f, err := c.sandbox.open(c.ctx, c.hc.Dir, name, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read from
	return do(name, f)
}

// maxLine is the longest line that the commands over lines take.
const maxLine = 4 << 20

func lines(r io.Reader, do func(line string) bool) error {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 16<<10), maxLine)
	for s.Scan() {
		if !do(s.Text()) {
			return nil
		}
	}
	return s.Err()
}

// What a command holds of its input at the same time.
const (
	maxHeldLines = 1 << 20
	maxHeldBytes = 32 << 20
)

var errTooManyLines = errors.New("more than can be held at once; look at a smaller part of it")

// allLines reads every line of the files named, or of stdin.
func (c *call) allLines() (all []string) {
	bytes := 0
	c.each(func(_ string, r io.Reader) error {
		full := false
		err := lines(r, func(l string) bool {
			bytes += len(l)
			full = len(all) >= maxHeldLines || bytes > maxHeldBytes
			if !full {
				all = append(all, l)
			}
			return !full && c.ctx.Err() == nil
		})
		if full {
			return errTooManyLines
		}
		return err
	})
	return all
}

// eachLine calls do for every line of the files named, or of stdin, one by one.
func (c *call) eachLine(do func(line string)) {
	c.each(func(_ string, r io.Reader) error {
		return lines(r, func(l string) bool { do(l); return c.ctx.Err() == nil })
	})
}
