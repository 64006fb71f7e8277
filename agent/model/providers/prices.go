package providers

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// currency is a currency by its three letters.
var currency = regexp.MustCompile(`^[A-Z]{3}$`)

// ParsePrices reads what an owner says of prices for a million tokens: input,
// output and, where it has another price, input that the provider had kept, as in
// "2,10,0.2 USD". Without a currency they are in USD.
func ParsePrices(text string) (*Prices, error) {
	p, numbers := Prices{Currency: "USD"}, strings.TrimSpace(text)
	if at := strings.LastIndexByte(numbers, ' '); at >= 0 && !strings.ContainsAny(numbers[at:], "0123456789") {
		numbers, p.Currency = numbers[:at], strings.ToUpper(numbers[at+1:])
	}
	var all []float64
	for part := range strings.SplitSeq(numbers, ",") {
		n, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || n < 0 || math.IsNaN(n) || math.IsInf(n, 0) {
			return nil, errPrices
		}
		all = append(all, n)
	}
	if len(all) < 2 || len(all) > 3 || !currency.MatchString(p.Currency) {
		return nil, errPrices
	}
	if p.Input, p.Output = all[0], all[1]; len(all) == 3 {
		p.Cached = &all[2]
	}
	return &p, nil
}

var errPrices = errors.New("it is not INPUT,OUTPUT or INPUT,OUTPUT,CACHED with a currency, such as 2,10,0.2 USD")
