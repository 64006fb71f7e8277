package shell

import (
	"io"
	"regexp"
	"strconv"
)

func grep(c *call) int {
	opts, ok := c.options("inrRlLcvwxEFqsoHh", "eABCm")
	if !ok {
		return 2
	}
	pattern := opts['e']
	if pattern == "" {
		if len(c.args) == 0 {
			return c.fail("a pattern is missing")
		}
		pattern, c.args = c.args[0], c.args[1:]
	}
	re, err := grepPattern(pattern, opts)
	if err != nil {
		return c.fail("the pattern is not a regular expression: %v", err)
	}
	recursive := opts['r'] != "" || opts['R'] != ""
	g := &grepRun{call: c, re: re, opts: opts, named: (len(c.args) > 1 || recursive || opts['H'] != "") && opts['h'] == ""}
	if recursive {
		if len(c.args) == 0 {
			c.args = []string{"."}
		}
		c.args = c.walked()
		if len(c.args) == 0 {
			return 1
		}
	}
	c.each(g.file)
	if c.failed && opts['s'] == "" {
		return 2
	}
	if g.matched {
		return 0
	}
	return 1
}

// grepPattern reads a pattern; basic ones differ from ours in what is escaped.
func grepPattern(pattern string, opts map[rune]string) (*regexp.Regexp, error) {
	switch {
	case opts['F'] != "":
		pattern = regexp.QuoteMeta(pattern)
	case opts['E'] == "":
		pattern = basicPattern.ReplaceAllStringFunc(pattern, func(m string) string {
			if len(m) == 2 {
				return m[1:]
			}
			return `\` + m
		})
	}
	if opts['w'] != "" {
		pattern = `\b(?:` + pattern + `)\b`
	}
	if opts['x'] != "" {
		pattern = `^(?:` + pattern + `)$`
	}
	if opts['i'] != "" {
		pattern = `(?i)` + pattern
	}
	return regexp.Compile(pattern)
}

var basicPattern = regexp.MustCompile(`\\[(){}+?|]|[(){}+?|]`)

type grepRun struct {
	call    *call
	re      *regexp.Regexp
	opts    map[rune]string
	named   bool
	matched bool
}

func (g *grepRun) file(name string, r io.Reader) error {
	prefix := ""
	if g.named {
		prefix = name + ":"
	}
	most, ok := g.call.number(g.opts, 'm', 1<<30)
	before, ok2 := g.call.number(g.opts, 'B', 0)
	after, ok3 := g.call.number(g.opts, 'A', 0)
	around, ok4 := g.call.number(g.opts, 'C', 0)
	if !ok || !ok2 || !ok3 || !ok4 {
		return nil
	}
	before, after = max(before, around), max(after, around)
	quiet := g.opts['q'] != "" || g.opts['l'] != "" || g.opts['L'] != "" || g.opts['c'] != ""
	n, found, open := 0, 0, 0
	var held []string
	err := lines(r, func(l string) bool {
		n++
		line := l
		if g.opts['n'] != "" {
			line = strconv.Itoa(n) + ":" + l
		}
		if g.re.MatchString(l) == (g.opts['v'] != "") {
			switch {
			case open > 0 && !quiet:
				open--
				g.call.printf("%s%s\n", prefix, line)
			case before > 0:
				held = append(held, line)
				held = held[max(0, len(held)-before):]
			}
			return true
		}
		found++
		if !quiet {
			for _, h := range held {
				g.call.printf("%s%s\n", prefix, h)
			}
			g.print(prefix, line, l)
		}
		held, open = nil, after
		return found < most
	})
	g.matched = g.matched || found > 0
	switch {
	case g.opts['q'] != "":
	case g.opts['c'] != "":
		g.call.printf("%s%d\n", prefix, found)
	case g.opts['l'] != "" && found > 0, g.opts['L'] != "" && found == 0:
		g.call.printf("%s\n", name)
	}
	return err
}

func (g *grepRun) print(prefix, line, raw string) {
	if g.opts['o'] == "" {
		g.call.printf("%s%s\n", prefix, line)
		return
	}
	for _, m := range g.re.FindAllString(raw, -1) {
		g.call.printf("%s%s\n", prefix, m)
	}
}
