package shell

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

func cat(c *call) int {
	opts, ok := c.options("nu", "")
	if !ok {
		return 2
	}
	n := 0
	c.each(func(_ string, r io.Reader) error {
		if opts['n'] == "" {
			_, err := io.Copy(c.hc.Stdout, r)
			return err
		}
		return lines(r, func(l string) bool { n++; c.printf("%6d\t%s\n", n, l); return true })
	})
	return 0
}

func head(c *call) int {
	opts, ok := c.options("q", "nc")
	if !ok {
		return 2
	}
	n, ok := c.number(opts, 'n', 10)
	size, ok2 := c.number(opts, 'c', -1)
	if !ok || !ok2 {
		return 2
	}
	titles := len(c.args) > 1 && opts['q'] == ""
	c.each(func(name string, r io.Reader) error {
		if titles {
			c.printf("==> %s <==\n", name)
		}
		if size >= 0 {
			_, err := io.Copy(c.hc.Stdout, io.LimitReader(r, int64(size)))
			return err
		}
		left := n
		if left == 0 {
			return nil
		}
		return lines(r, func(l string) bool { c.printf("%s\n", l); left--; return left > 0 })
	})
	return 0
}

func tail(c *call) int {
	opts, ok := c.options("q", "nc")
	if !ok {
		return 2
	}
	n, ok := c.number(opts, 'n', 10)
	size, ok2 := c.number(opts, 'c', -1)
	if !ok || !ok2 {
		return 2
	}
	fromStart := strings.HasPrefix(opts['n'], "+")
	titles := len(c.args) > 1 && opts['q'] == ""
	c.each(func(name string, r io.Reader) error {
		if titles {
			c.printf("==> %s <==\n", name)
		}
		if size >= 0 {
			all, err := io.ReadAll(r)
			_, _ = c.hc.Stdout.Write(all[max(0, len(all)-size):])
			return err
		}
		if fromStart {
			at := 0
			return lines(r, func(l string) bool {
				if at++; at >= n {
					c.printf("%s\n", l)
				}
				return c.ctx.Err() == nil
			})
		}
		last, err := c.lastLines(r, n)
		for _, l := range last {
			c.printf("%s\n", l)
		}
		return err
	})
	return 0
}

// lastLines gives the last n lines of r.
func (c *call) lastLines(r io.Reader, n int) (last []string, err error) {
	held, full := 0, false
	err = lines(r, func(l string) bool {
		last = append(last, l)
		held += len(l)
		if len(last) > n {
			held -= len(last[0])
			last = last[1:] // append moves what is left when it needs room
		}
		full = len(last) > maxHeldLines || held > maxHeldBytes
		return !full && c.ctx.Err() == nil
	})
	if full {
		return nil, errTooManyLines
	}
	return last, err
}

func wc(c *call) int {
	opts, ok := c.options("lwcm", "")
	if !ok {
		return 2
	}
	if len(opts) == 0 {
		opts = map[rune]string{'l': "yes", 'w': "yes", 'c': "yes"}
	}
	var total [4]int
	show := func(n [4]int, name string) {
		var parts []string
		for i, o := range "lwmc" {
			if opts[o] != "" {
				parts = append(parts, strconv.Itoa(n[i]))
			}
		}
		if name != "-" {
			parts = append(parts, name)
		}
		c.printf("%s\n", strings.Join(parts, " "))
	}
	several := len(c.args) > 1
	c.each(func(name string, r io.Reader) error {
		all, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		n := [4]int{bytes.Count(all, []byte("\n")), len(bytes.Fields(all)), utf8.RuneCount(all), len(all)}
		for i := range n {
			total[i] += n[i]
		}
		show(n, name)
		return nil
	})
	if several {
		show(total, "total")
	}
	return 0
}

func sortLines(c *call) int {
	opts, ok := c.options("nruf", "")
	if !ok {
		return 2
	}
	all := c.allLines()
	key := func(s string) string {
		if opts['f'] != "" {
			return strings.ToLower(s)
		}
		return s
	}
	slices.SortStableFunc(all, func(a, b string) int {
		order := 0
		if opts['n'] != "" {
			x, y := leading(a), leading(b)
			switch {
			case x < y:
				order = -1
			case x > y:
				order = 1
			}
		}
		if order == 0 {
			order = strings.Compare(key(a), key(b))
		}
		if opts['r'] != "" {
			order = -order
		}
		return order
	})
	if opts['u'] != "" {
		all = slices.CompactFunc(all, func(a, b string) bool { return key(a) == key(b) })
	}
	for _, l := range all {
		c.printf("%s\n", l)
	}
	return 0
}

var number = regexp.MustCompile(`^\s*-?\d+(\.\d+)?`)

func leading(s string) float64 {
	f, _ := strconv.ParseFloat(strings.TrimSpace(number.FindString(s)), 64) // none is 0
	return f
}

func uniq(c *call) int {
	opts, ok := c.options("cdui", "")
	if !ok {
		return 2
	}
	n, current := 0, ""
	show := func() {
		wanted := n > 0 && (opts['d'] == "" || n > 1) && (opts['u'] == "" || n == 1)
		switch {
		case wanted && opts['c'] != "":
			c.printf("%7d %s\n", n, current)
		case wanted:
			c.printf("%s\n", current)
		}
	}
	c.eachLine(func(l string) {
		if n > 0 && (l == current || opts['i'] != "" && strings.EqualFold(l, current)) {
			n++
			return
		}
		show()
		n, current = 1, l
	})
	show()
	return 0
}

func tac(c *call) int {
	all := c.allLines()
	slices.Reverse(all)
	for _, l := range all {
		c.printf("%s\n", l)
	}
	return 0
}

func nl(c *call) int {
	n := 0
	c.eachLine(func(l string) { n++; c.printf("%6d\t%s\n", n, l) })
	return 0
}

func cutFields(c *call) int {
	opts, ok := c.options("s", "dfc")
	if !ok {
		return 2
	}
	list, byChar := opts['f'], false
	if opts['c'] != "" {
		list, byChar = opts['c'], true
	}
	wanted, err := ranges(list)
	if err != nil {
		return c.fail("%v", err)
	}
	sep := opts['d']
	if sep == "" {
		sep = "\t"
	}
	c.each(func(_ string, r io.Reader) error {
		return lines(r, func(l string) bool {
			parts, join := strings.Split(l, sep), sep
			switch {
			case byChar:
				parts, join = strings.Split(l, ""), ""
			case len(parts) == 1:
				if opts['s'] == "" {
					c.printf("%s\n", l)
				}
				return true
			}
			var out []string
			for i, p := range parts {
				if wanted(i + 1) {
					out = append(out, p)
				}
			}
			c.printf("%s\n", strings.Join(out, join))
			return true
		})
	})
	return 0
}

// ranges reads a list such as 1,3-5,7-.
func ranges(list string) (func(int) bool, error) {
	type span struct{ from, to int }
	var spans []span
	for _, part := range strings.Split(list, ",") {
		from, to, isRange := strings.Cut(part, "-")
		s := span{1, 1 << 30}
		var err error
		if from != "" {
			s.from, err = strconv.Atoi(from)
		}
		switch {
		case err == nil && !isRange:
			s.to = s.from
		case err == nil && to != "":
			s.to, err = strconv.Atoi(to)
		}
		if err != nil || part == "" || part == "-" || s.from < 1 {
			return nil, fmt.Errorf("%q is not a list such as 1,3-5", list)
		}
		spans = append(spans, s)
	}
	return func(n int) bool {
		return slices.ContainsFunc(spans, func(s span) bool { return n >= s.from && n <= s.to })
	}, nil
}

func tr(c *call) int {
	opts, ok := c.options("dsc", "")
	if !ok {
		return 2
	}
	if opts['c'] != "" || len(c.args) < 1 || len(c.args) > 2 || opts['d'] == "" && opts['s'] == "" && len(c.args) != 2 {
		return c.fail("use tr SET1 SET2, tr -d SET or tr -s SET")
	}
	from, ok := trSet(c.args[0])
	to, ok2 := []rune(nil), true
	if len(c.args) == 2 {
		to, ok2 = trSet(c.args[1])
	}
	if !ok || !ok2 {
		return c.fail("a set has more than %d characters", maxSet)
	}
	index := make(map[rune]int, len(from))
	for i, r := range from {
		if _, there := index[r]; !there {
			index[r] = i
		}
	}
	c.args = nil
	c.each(func(_ string, r io.Reader) error {
		all, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		last := rune(-1)
		_, err = io.WriteString(c.hc.Stdout, strings.Map(func(r rune) rune {
			i, found := index[r]
			switch {
			case found && opts['d'] != "":
				return -1
			case found && len(to) > 0:
				r = to[min(i, len(to)-1)]
			}
			if opts['s'] != "" && found && r == last {
				return -1
			}
			last = r
			return r
		}, string(all)))
		return err
	})
	return 0
}

// maxSet is more characters than any use of tr names.
const maxSet = 1 << 16

var trEscapes = strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\\`, `\`, "[:lower:]", "a-z", "[:upper:]", "A-Z", "[:digit:]", "0-9", "[:space:]", " \t\n\r\v\f")

func trSet(s string) (set []rune, ok bool) {
	runes := []rune(trEscapes.Replace(s))
	for i := 0; i < len(runes); i++ {
		if len(set) > maxSet {
			return nil, false
		}
		if i+2 < len(runes) && runes[i+1] == '-' && runes[i] <= runes[i+2] && runes[i+2]-runes[i] < 1<<12 {
			for r := runes[i]; r <= runes[i+2]; r++ {
				set = append(set, r)
			}
			i += 2
			continue
		}
		set = append(set, runes[i])
	}
	return set, true
}

func sha256Sum(c *call) int {
	c.each(func(name string, r io.Reader) error {
		h := sha256.New()
		if _, err := io.Copy(h, r); err != nil {
			return err
		}
		c.printf("%x  %s\n", h.Sum(nil), name)
		return nil
	})
	return 0
}
