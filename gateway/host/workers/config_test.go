package workers_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/gateway/limit"
)

var comments = regexp.MustCompile(`(?m)^\s*//.*$`)

// wranglerConfig is what the tests read of wrangler.jsonc.
type wranglerConfig struct {
	Vars       map[string]string `json:"vars"`
	Ratelimits []struct {
		Name   string
		Simple struct{ Limit, Period int }
	} `json:"ratelimits"`
	SendMetrics *bool `json:"send_metrics"`
}

func readWranglerConfig(t *testing.T) wranglerConfig {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(wranglerDir, "wrangler.jsonc"))
	if err != nil {
		t.Fatal(err)
	}
	var c wranglerConfig
	if err := json.Unmarshal(comments.ReplaceAll(text, nil), &c); err != nil {
		t.Fatalf("wrangler.jsonc: %v", err)
	}
	return c
}

// TestLimitsAgree: the core says how many are allowed, the binding counts. They
// read two settings, which must say the same.
func TestLimitsAgree(t *testing.T) {
	c := readWranglerConfig(t)
	if len(c.Ratelimits) != 3 {
		t.Fatalf("got %d ratelimits, want those of chat, api and auth", len(c.Ratelimits))
	}
	for _, binding := range c.Ratelimits {
		name := strings.Replace(binding.Name, "LIMIT_", "RATE_LIMIT_", 1)
		rate, err := limit.ParseRate(c.Vars[name])
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if rate.N != binding.Simple.Limit || int(rate.Per.Seconds()) != binding.Simple.Period {
			t.Errorf("%s is %s, but the binding %s counts %d in %d s", name, c.Vars[name], binding.Name, binding.Simple.Limit, binding.Simple.Period)
		}
	}
}

// TestNoMetrics: nothing is sent to anybody while developing.
func TestNoMetrics(t *testing.T) {
	if c := readWranglerConfig(t); c.SendMetrics == nil || *c.SendMetrics {
		t.Error("send_metrics: want false")
	}
}
