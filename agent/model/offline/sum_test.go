package offline

import (
	"strings"
	"testing"
)

func TestSum(t *testing.T) {
	for expr, want := range map[string]string{
		"1+2*3": "7", "(1+2)*3": "9", "0.1+0.2": "0.3", "-2^2": "-4", "2^-1": "0.5", "2^3^2": "512",
		"10/3": "3.3333333333", "7%4": "3", "-(3-5)": "2", "１+1": "", "（1＋2）×3÷9": "1", "1,000*2": "2000",
		"2**8": "256", "1/0": "", "5%0": "", "0^-1": "", "9^9^9": "", "((1)": "", "1..2": "", "": "", "1+": "", "2 3": "23",
		"1/3*3": "1", "99999999999999999999*2": "199999999999999999998", "1/10000000000000": "1e-13", "--1": "1",
	} {
		got, err := Sum(expr)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("Sum(%q) = %q, %v; want %q", expr, got, err, want)
		}
	}
	for _, deep := range []string{strings.Repeat("(", 200) + "1" + strings.Repeat(")", 200-100), strings.Repeat("-", 299) + "1", strings.Repeat("1", 301)} {
		if _, err := Sum(deep); err == nil {
			t.Errorf("Sum of %d characters has no error", len(deep))
		}
	}
}

// FuzzSum: no input may hang or crash it.
func FuzzSum(f *testing.F) {
	f.Add("(1+2)*3^2/4%5")
	f.Add("9^999^9")
	f.Fuzz(func(t *testing.T, s string) {
		if v, err := Sum(s); (v == "") != (err != nil) {
			t.Errorf("Sum(%q) = %q, %v", s, v, err)
		}
	})
}

// FuzzUnderstand: no message may hang or crash it, or be answered with nothing.
func FuzzUnderstand(f *testing.F) {
	f.Add("把 你好 写到 a.txt")
	f.Add("remember that `x`")
	f.Fuzz(func(t *testing.T, s string) {
		if i := understand(s); i.kind == "" && i.tool == "" {
			t.Errorf("%q means nothing", s)
		}
	})
}
