package shell

import (
	"path"
	"strconv"
	"strings"
	"time"
)

func baseName(c *call) int {
	if len(c.args) < 1 || len(c.args) > 2 {
		return c.fail("use basename PATH [SUFFIX]")
	}
	base := path.Base(c.args[0])
	if len(c.args) == 2 && base != c.args[1] {
		base = strings.TrimSuffix(base, c.args[1])
	}
	c.printf("%s\n", base)
	return 0
}

func dirName(c *call) int {
	for _, a := range c.args {
		c.printf("%s\n", path.Dir(strings.TrimSuffix(a, "/")))
	}
	return 0
}

func seq(c *call) int {
	var n []int
	for _, a := range c.args {
		v, err := strconv.Atoi(a)
		if err != nil {
			return c.fail("%q is not a whole number", a)
		}
		n = append(n, v)
	}
	first, step, last := 1, 1, 0
	switch len(n) {
	case 1:
		last = n[0]
	case 2:
		first, last = n[0], n[1]
	case 3:
		first, step, last = n[0], n[1], n[2]
	default:
		return c.fail("use seq [FIRST [STEP]] LAST")
	}
	count, ok := seqCount(first, step, last)
	if !ok {
		return c.fail("that is more than %d numbers", maxSeq)
	}
	for i, v := 0, first; i < count && c.ctx.Err() == nil; i, v = i+1, v+step {
		c.printf("%d\n", v)
	}
	return 0
}

// maxSeq is how many numbers one seq gives.
const maxSeq = 100_000

// seqCount is how many numbers there are from first to last, when they are not too
// many. The distance of two numbers can be more than a number holds.
func seqCount(first, step, last int) (int, bool) {
	var distance, stride uint64
	switch {
	case step == 0:
		return 0, false
	case step > 0 && first > last, step < 0 && first < last:
		return 0, true
	case step > 0:
		distance, stride = uint64(last)-uint64(first), uint64(step) //nolint:gosec // modulo 2^64 is what is wanted
	default:
		distance, stride = uint64(first)-uint64(last), -uint64(step) //nolint:gosec // modulo 2^64 is what is wanted
	}
	n := distance / stride
	return int(min(n, maxSeq)) + 1, n < maxSeq //nolint:gosec // at most maxSeq
}

func sleep(c *call) int {
	if len(c.args) != 1 {
		return c.fail("use sleep SECONDS")
	}
	d, err := strconv.ParseFloat(strings.TrimSuffix(c.args[0], "s"), 64)
	if err != nil || d < 0 || d > 1e6 {
		return c.fail("%q is not a number of seconds", c.args[0])
	}
	t := time.NewTimer(time.Duration(d * float64(time.Second)))
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.ctx.Done():
	}
	return 0
}

var strftime = strings.NewReplacer("%Y", "2006", "%m", "01", "%d", "02", "%H", "15", "%M", "04", "%S", "05", "%F", "2006-01-02",
	"%T", "15:04:05", "%y", "06", "%B", "January", "%b", "Jan", "%A", "Monday", "%a", "Mon", "%Z", "MST", "%z", "-0700", "%%", "%")

func date(c *call) int {
	if len(c.args) > 0 && (c.args[0] == "-u" || c.args[0] == "--utc") {
		c.args = c.args[1:]
	}
	now := time.Now().UTC()
	switch {
	case len(c.args) == 0:
		c.printf("%s\n", now.Format("Mon Jan _2 15:04:05 MST 2006"))
	case len(c.args) == 1 && c.args[0] == "+%s":
		c.printf("%d\n", now.Unix())
	case len(c.args) == 1 && strings.HasPrefix(c.args[0], "+"):
		c.printf("%s\n", now.Format(strftime.Replace(c.args[0][1:])))
	default:
		return c.fail("use date [-u] [+FORMAT]; it always tells UTC, get_current_time tells other zones")
	}
	return 0
}
