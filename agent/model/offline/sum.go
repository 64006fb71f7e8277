package offline

import (
	"errors"
	"math/big"
	"strings"
)

// Bounds that keep a sum from eating the machine.
const (
	maxSum   = 300  // characters
	maxDepth = 60   // of parentheses and signs
	maxPower = 1000 // exponent
	maxBits  = 8192 // of a number on the way
)

var (
	errSum  = errors.New("this is no sum")
	errZero = errors.New("division by zero")
	errBig  = errors.New("the numbers become too large")
)

// Sum works out an arithmetic expression exactly: + - * / % ^, parentheses and
// decimals, also in their full-width forms.
func Sum(expr string) (string, error) {
	expr = strings.NewReplacer("×", "*", "÷", "/", "（", "(", "）", ")", "＋", "+", "－", "-", "−", "-",
		"＊", "*", "／", "/", "**", "^", "，", "", ",", "", " ", "", "\t", "", "．", ".", "＝", "", "=", "").Replace(expr)
	if expr == "" || len(expr) > maxSum {
		return "", errSum
	}
	p := &parser{s: expr}
	v, err := p.terms(0)
	if err != nil {
		return "", err
	}
	if p.i != len(p.s) {
		return "", errSum
	}
	return show(v), nil
}

// show writes a number as people do: at most ten decimals, none without need.
func show(v *big.Rat) string {
	if v.IsInt() {
		return v.Num().String()
	}
	s := strings.TrimRight(strings.TrimRight(v.FloatString(10), "0"), ".")
	switch s {
	case "0", "-0":
		f, _ := v.Float64()
		return big.NewFloat(f).Text('g', 6)
	}
	return s
}

type parser struct {
	s string
	i int
}

func (p *parser) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

// terms is a sum or a difference.
func (p *parser) terms(depth int) (*big.Rat, error) {
	return p.row("+-", depth, p.factors)
}

// factors is a product, a quotient or a rest.
func (p *parser) factors(depth int) (*big.Rat, error) {
	return p.row("*/%", depth, p.signed)
}

func (p *parser) row(ops string, depth int, part func(int) (*big.Rat, error)) (*big.Rat, error) {
	v, err := part(depth)
	for err == nil && p.peek() != 0 && strings.IndexByte(ops, p.peek()) >= 0 {
		op := p.s[p.i]
		p.i++
		var w *big.Rat
		if w, err = part(depth); err == nil {
			v, err = apply(op, v, w)
		}
	}
	return v, err
}

func apply(op byte, v, w *big.Rat) (*big.Rat, error) {
	out := new(big.Rat)
	switch op {
	case '+':
		out.Add(v, w)
	case '-':
		out.Sub(v, w)
	case '*':
		out.Mul(v, w)
	case '/':
		if w.Sign() == 0 {
			return nil, errZero
		}
		out.Quo(v, w)
	case '%':
		if w.Sign() == 0 {
			return nil, errZero
		}
		if !v.IsInt() || !w.IsInt() {
			return nil, errSum
		}
		out.SetInt(new(big.Int).Rem(v.Num(), w.Num()))
	}
	if out.Num().BitLen()+out.Denom().BitLen() > maxBits {
		return nil, errBig
	}
	return out, nil
}

// signed is a sign and a power: -2^2 is -4.
func (p *parser) signed(depth int) (*big.Rat, error) {
	if depth > maxDepth {
		return nil, errSum
	}
	switch p.peek() {
	case '-':
		p.i++
		v, err := p.signed(depth + 1)
		if err != nil {
			return nil, err
		}
		return v.Neg(v), nil
	case '+':
		p.i++
		return p.signed(depth + 1)
	}
	return p.power(depth)
}

func (p *parser) power(depth int) (*big.Rat, error) {
	v, err := p.atom(depth)
	if err != nil || p.peek() != '^' {
		return v, err
	}
	p.i++
	w, err := p.signed(depth + 1)
	if err != nil {
		return nil, err
	}
	return raise(v, w)
}

func raise(v, w *big.Rat) (*big.Rat, error) {
	if !w.IsInt() {
		return nil, errSum
	}
	n := w.Num()
	if !n.IsInt64() || n.Int64() > maxPower || n.Int64() < -maxPower {
		return nil, errBig
	}
	abs := new(big.Int).Abs(n)
	if int64(v.Num().BitLen()+v.Denom().BitLen())*abs.Int64() > maxBits {
		return nil, errBig
	}
	if n.Sign() < 0 && v.Sign() == 0 {
		return nil, errZero
	}
	out := new(big.Rat).SetFrac(new(big.Int).Exp(v.Num(), abs, nil), new(big.Int).Exp(v.Denom(), abs, nil))
	if n.Sign() < 0 {
		out.Inv(out)
	}
	return out, nil
}

func (p *parser) atom(depth int) (*big.Rat, error) {
	if p.peek() == '(' {
		p.i++
		v, err := p.terms(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.peek() != ')' {
			return nil, errSum
		}
		p.i++
		return v, nil
	}
	from := p.i
	for c := p.peek(); c == '.' || (c >= '0' && c <= '9'); c = p.peek() {
		p.i++
	}
	lit := p.s[from:p.i]
	if lit == "" || lit == "." || strings.Count(lit, ".") > 1 {
		return nil, errSum
	}
	v, ok := new(big.Rat).SetString(lit)
	if !ok {
		return nil, errSum
	}
	return v, nil
}
