package model

import (
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/model/providers"
)

func TestWhatIsToldOfAModel(t *testing.T) {
	own := &providers.Prices{Currency: "EUR", Input: 1, Output: 2}
	set := func(name string, p Provider) Config { return Config{Settings: map[string]Provider{name: p}} }
	with := func(c Config, change func(*Config)) Config { change(&c); return c }
	anthropic := set("anthropic", Provider{Key: "k"})
	for name, tt := range map[string]struct {
		cfg    Config
		vision string // one letter for each model
		price  string // of the first: its currency
	}{
		"the table's own model":                {anthropic, "y", "USD"},
		"another model of that provider":       {set("anthropic", Provider{Key: "k", Model: "claude-opus-5"}), "y", ""},
		"one that nobody knows":                {set("openai", Provider{Key: "k", URL: "http://localhost:8000/v1", Model: "mine"}), "n", ""},
		"one that nobody knows, which sees":    {with(set("openai", Provider{Key: "k", URL: "http://localhost:8000/v1", Model: "mine"}), func(c *Config) { c.Vision = VisionTrue }), "y", ""},
		"one that sees and is not to":          {with(anthropic, func(c *Config) { c.Vision = VisionFalse }), "n", "USD"},
		"auto":                                 {with(anthropic, func(c *Config) { c.Vision = VisionAuto }), "y", "USD"},
		"the owner's price":                    {with(anthropic, func(c *Config) { c.Prices = own }), "y", "EUR"},
		"a name that others give to something": {set("deepseek", Provider{Key: "k", URL: "http://localhost:8000/v1"}), "y", ""},
		"offline":                              {with(Config{}, func(c *Config) { c.Vision, c.Prices = VisionTrue, own }), "n", ""},
		"several": {
			Config{Providers: []string{"qwen", "gemini"}, Prices: own, Settings: map[string]Provider{"qwen": {Key: "k"}, "gemini": {Key: "k"}}},
			"ny", "EUR",
		},
	} {
		_, info := New(tt.cfg, nil, nil)
		var vision strings.Builder
		for _, m := range info.Models {
			vision.WriteString(map[bool]string{true: "y", false: "n"}[m.Vision])
		}
		price := ""
		if p := info.Models[0].Prices; p != nil {
			price = p.Currency
		}
		if vision.String() != tt.vision || price != tt.price {
			t.Errorf("%s: got %s and %q, want %s and %q", name, vision.String(), price, tt.vision, tt.price)
		}
		if n := len(info.Models); n > 1 && info.Models[n-1].Prices == own {
			t.Errorf("%s: the owner's price is told of a model that is asked later", name)
		}
	}
	cfg := Config{Vision: "yes"}
	if faults := cfg.Check(); len(faults) != 1 || !strings.Contains(faults[0].Error(), "LLM_VISION") {
		t.Errorf("faults %v", faults)
	}
}
