package cloudflare

import (
	"fmt"
	"time"

	"github.com/loongclaw/loongclaw/gateway/limit"
)

// neighbours is how many users may come from one address, each at their limits,
// before its requests count as a flood: a household, an office, a train.
const neighbours = 5

// guard sets the guard against floods from the users' limits, which are vars: the
// two are one setting, so that whoever raises the one need not know of the other.
// A binding counts in periods of 10 or 60 s.
func guard(environment map[string]any) error {
	vars, _ := environment["vars"].(map[string]any)
	perMinute := 0.0
	for _, name := range []string{"RATE_LIMIT_CHAT", "RATE_LIMIT_API"} {
		text, _ := vars[name].(string)
		rate, err := limit.ParseRate(text)
		if err != nil {
			return fmt.Errorf("%s in wrangler.jsonc %w", name, err)
		}
		// A second's limit is a burst, too; what is allowed a minute is at least that.
		perMinute += max(float64(rate.N), float64(rate.N)*float64(time.Minute)/float64(rate.Per))
	}
	bindings, _ := environment["ratelimits"].([]any)
	for _, one := range bindings {
		if binding, _ := one.(map[string]any); binding["name"] == "LIMIT_FLOOD" {
			binding["simple"] = map[string]any{"limit": int(neighbours * perMinute), "period": 60}
			return nil
		}
	}
	return fmt.Errorf("wrangler.jsonc has no binding LIMIT_FLOOD\nNext: compare its ratelimits with the repository's")
}
