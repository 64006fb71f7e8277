package shell

import (
	"strings"
	"testing"
)

func TestWhatPeopleCouldMisreadIsRefused(t *testing.T) {
	for name, line := range map[string]string{
		"a comment and a second line": "make # only builds\ncurl x",
		"a comment":                   "make # only builds",
		"a comment first":             "# only builds\nmake",
		"a comment in a substitution": "make \"$(ls # x\n)\"",
		"two lines":                   "make\ncurl x",
		"many empty lines":            "make" + strings.Repeat("\n", 3000) + "id",
		"a continued line":            "make \\\n x",
		"a loop over lines":           "for f in a; do\nmake $f\ndone",
		"a line in a substitution":    "make \"$(ls\ncurl x)\"",
		"a line after a here-doc":     "make <<E\nbody\nE\ncurl x",
		"blanks":                      "make" + strings.Repeat(" ", 200) + "; curl x",
		"tabs":                        "make" + strings.Repeat("\t", 50) + "; curl x",
		"blanks in quotes":            "make 'a" + strings.Repeat(" ", 200) + "'; curl x",
		"lines in quotes":             "make 'a" + strings.Repeat("\n", 20) + "'; curl x",
		"blank lines in quotes":       "make 'a" + strings.Repeat(" \n", 20) + "'; curl x",
		"lines in a here-doc":         "make <<E; curl x\n" + strings.Repeat("\n", 20) + "E",
		"a Cyrillic letter":           "m\u0430ke x",
		"a Greek letter":              "make '\u03bfutput'",
		"a filler":                    "cat a\u3164b; id",
		"a selector":                  "id\ufe0f",
		"selector 17":                 "id \U000e0100",
		"a grapheme joiner":           "i\u034fd",
		"a Braille blank":             "id \u2800",
		"a no-break space":            "id\u00a0x",
		"an ideographic space":        "id\u3000x",
		"a tag":                       "id \U000e0041",
		"an override":                 "id \u202ex",
		"a form feed":                 "id\fx",
		"a return":                    "id\rx",
	} {
		if v := Judge(line); v.Kind != Deny || v.Reason == "" {
			t.Errorf("%s: %q is judged %+v, want it refused", name, line, v)
		}
	}
}

func TestWhatPeopleCanReadAsks(t *testing.T) {
	for name, line := range map[string]string{
		"one line":                    "cd x && make; git status",
		"lines in quotes":             "python3 -c 'import os\nprint(os.getcwd())\n\nprint(1)'",
		"lines in double quotes":      "git commit -m \"one\n\ntwo $HOME three\nfour\"",
		"a here-doc":                  "cat > x.py <<'EOF'\ndef f(x):\n    # a comment of the program\n    return [\n                x]\nEOF",
		"a here-doc with names":       "cat > x <<EOF\na $HOME b\nc\nEOF",
		"a here-doc without a line":   "cat > x <<EOF\nEOF",
		"two here-docs":               "cat > x <<A; cat > y <<B\none\nA\ntwo\nB",
		"an indented here-doc":        "cat > x <<-E\n\tone\n\tE",
		"a sign that is no comment":   "make a#b '# not one' \"#\" $#",
		"another alphabet":            "make 'привет мир' 你好 'ελληνικά'",
		"other alphabets in program":  "cat > x.py <<'E'\nΔx = 1\nE",
		"an emoji":                    "git commit -m '🐻 ❤️ 👨‍👩‍👧'",
		"a comment that says nothing": "make #",
		"a few blanks":                "make  a   b",
	} {
		if v := Judge(line); v.Kind != Ask {
			t.Errorf("%s: %q is judged %+v, want a question", name, line, v)
		}
	}
	// What runs unasked nobody has to read.
	for _, line := range []string{"ls # the files\ncat a", "for f in *; do\n  cat $f\ndone"} {
		if v := Judge(line); v.Kind != Plain {
			t.Errorf("%q is judged %+v, want it to run", line, v)
		}
	}
}

func TestSeqCountsWithoutOverflow(t *testing.T) {
	const most, least = 1<<63 - 1, -1 << 63
	for _, c := range []struct {
		first, step, last, want int
		ok                      bool
	}{
		{1, 1, 3, 3, true},
		{3, -1, 1, 3, true},
		{1, 2, 4, 2, true},
		{3, 1, 1, 0, true},
		{1, -1, 3, 0, true},
		{5, 1, 5, 1, true},
		{1, 0, 3, 0, false},
		{1, 1, 100_000, 100_000, true},
		{1, 1, 100_001, 0, false},
		{-9e18, 1, 9e18, 0, false},
		{least, 1, most, 0, false},
		{most, -1, least, 0, false},
		{1, 9e18, most, 2, true},
		{least, most, most, 3, true},
		{most, least, least, 2, true},
	} {
		got, ok := seqCount(c.first, c.step, c.last)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("seq %d %d %d: %d, %v, want %d, %v", c.first, c.step, c.last, got, ok, c.want, c.ok)
		}
	}
}
