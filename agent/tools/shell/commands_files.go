package shell

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

const maxWalk = 20_000 // entries that one ls -R, grep -r or find looks at

func ls(c *call) int {
	opts, ok := c.options("laAR1hdF", "")
	if !ok {
		return 2
	}
	if len(c.args) == 0 {
		c.args = []string{"."}
	}
	several := len(c.args) > 1 || opts['R'] != ""
	for _, name := range c.args {
		info, err := c.sandbox.stat(c.hc.Dir, name, true)
		switch {
		case err != nil:
			c.failErr(name, err)
		case !info.IsDir() || opts['d'] != "":
			c.entry(info, name, opts)
		default:
			c.folder(name, several, opts, 0)
		}
	}
	return 0
}

func (c *call) folder(name string, titled bool, opts map[rune]string, depth int) {
	entries, err := c.sandbox.readDir(c.hc.Dir, name)
	if err != nil {
		c.failErr(name, err)
		return
	}
	if titled {
		c.printf("%s:\n", name)
	}
	var below []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && opts['a'] == "" && opts['A'] == "" {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // gone since
		}
		c.entry(info, e.Name(), opts)
		if e.IsDir() {
			below = append(below, path.Join(name, e.Name()))
		}
	}
	if opts['R'] == "" || depth > 32 || c.ctx.Err() != nil {
		return
	}
	for _, b := range below {
		c.printf("\n")
		c.folder(b, true, opts, depth+1)
	}
}

func (c *call) entry(info fs.FileInfo, name string, opts map[rune]string) {
	if info.IsDir() && opts['F'] != "" {
		name += "/"
	}
	if opts['l'] == "" {
		c.printf("%s\n", name)
		return
	}
	c.printf("%s %10d %s %s\n", info.Mode(), info.Size(), info.ModTime().UTC().Format("2006-01-02 15:04"), name)
}

// walked gives the regular files below the names given.
func (c *call) walked() (found []string) {
	c.walk(c.args, func(name string, d fs.DirEntry) {
		if d.Type().IsRegular() {
			found = append(found, name)
		}
	})
	return found
}

// walk visits names and everything below them, without following links.
func (c *call) walk(names []string, visit func(name string, d fs.DirEntry)) {
	left := maxWalk
	for _, name := range names {
		rel, err := c.sandbox.rel(c.hc.Dir, name)
		if err != nil {
			c.failErr(name, err)
			continue
		}
		err = fs.WalkDir(c.sandbox.root.FS(), filepath.ToSlash(rel), func(p string, d fs.DirEntry, err error) error {
			if left--; left < 0 || c.ctx.Err() != nil {
				return fs.SkipAll
			}
			if err != nil {
				c.failErr(name, err)
				return nil
			}
			below := strings.TrimPrefix(strings.TrimPrefix(p, rel), "/")
			if rel == "." {
				below = p
			}
			visit(joined(name, below), d)
			return nil
		})
		if err != nil {
			c.failErr(name, err)
		}
	}
	if left < 0 {
		c.fail("stopped after %d entries; look at a smaller folder", maxWalk)
	}
}

func joined(name, below string) string {
	if below == "" || below == "." {
		return name
	}
	return strings.TrimSuffix(name, "/") + "/" + below
}

// find takes -name, -iname, -type, -maxdepth and prints. What runs or deletes
// (-exec, -delete) is not supported.
func find(c *call) int {
	var names []string
	for len(c.args) > 0 && !strings.HasPrefix(c.args[0], "-") {
		names, c.args = append(names, c.args[0]), c.args[1:]
	}
	if len(names) == 0 {
		names = []string{"."}
	}
	glob, kind, fold, deepest := "", "", false, 1<<30
	for len(c.args) > 0 {
		option := c.args[0]
		if option == "-print" {
			c.args = c.args[1:]
			continue
		}
		if len(c.args) < 2 {
			return c.fail("%q is not supported here or needs a value; there are -name, -iname, -type and -maxdepth", option)
		}
		value := c.args[1]
		c.args = c.args[2:]
		switch option {
		case "-name":
			glob = value
		case "-iname":
			glob, fold = strings.ToLower(value), true
		case "-type":
			kind = value
		case "-maxdepth":
			n, err := strconv.Atoi(value)
			if err != nil {
				return c.fail("%q is not a number", value)
			}
			deepest = n
		default:
			return c.fail("%q is not supported here; there are -name, -iname, -type and -maxdepth", option)
		}
	}
	for _, start := range names {
		c.walk([]string{start}, func(name string, d fs.DirEntry) {
			base := path.Base(name)
			if fold {
				base = strings.ToLower(base)
			}
			depth := strings.Count(strings.TrimPrefix(name, strings.TrimSuffix(start, "/")), "/")
			matches, err := path.Match(glob, base)
			named := glob == "" || err == nil && matches
			typed := kind == "" || kind == "f" && d.Type().IsRegular() || kind == "d" && d.IsDir()
			if named && typed && depth <= deepest {
				c.printf("%s\n", name)
			}
		})
	}
	return 0
}

func mkdir(c *call) int {
	opts, ok := c.options("pv", "")
	if !ok {
		return 2
	}
	for _, name := range c.args {
		rel, err := c.sandbox.rel(c.hc.Dir, name)
		if err == nil && opts['p'] != "" {
			err = c.sandbox.root.MkdirAll(rel, 0o755)
		} else if err == nil {
			err = c.sandbox.root.Mkdir(rel, 0o755)
		}
		if err != nil {
			c.failErr(name, err)
		}
	}
	return 0
}

func touch(c *call) int {
	for _, name := range c.args {
		f, err := c.sandbox.open(c.ctx, c.hc.Dir, name, os.O_CREATE|os.O_WRONLY, 0o644)
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			c.failErr(name, err)
		}
	}
	return 0
}

func cp(c *call) int {
	if _, ok := c.options("fpv", ""); !ok {
		return 2
	}
	if len(c.args) != 2 {
		return c.fail("use cp FROM TO, one file at a time")
	}
	from, to := c.args[0], c.args[1]
	if info, err := c.sandbox.stat(c.hc.Dir, to, true); err == nil && info.IsDir() {
		to = path.Join(to, path.Base(from))
	}
	if err := c.one(from, func(_ string, r io.Reader) error { return c.write(to, os.O_TRUNC, r) }); err != nil {
		c.failErr(from, err)
	}
	return 0
}

func (c *call) write(name string, flag int, r io.Reader) error {
	f, err := c.sandbox.open(c.ctx, c.hc.Dir, name, os.O_CREATE|os.O_WRONLY|flag, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}

func tee(c *call) int {
	opts, ok := c.options("a", "")
	if !ok {
		return 2
	}
	flag := os.O_TRUNC
	if opts['a'] != "" {
		flag = os.O_APPEND
	}
	body, err := io.ReadAll(c.stdin())
	if err != nil {
		return c.failErr("-", err)
	}
	_, _ = c.hc.Stdout.Write(body) // keeps what fits
	for _, name := range c.args {
		if err := c.write(name, flag, strings.NewReader(string(body))); err != nil {
			c.failErr(name, err)
		}
	}
	return 0
}
