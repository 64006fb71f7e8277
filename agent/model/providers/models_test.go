package providers_test

import (
	"regexp"
	"strconv"
	"testing"

	"github.com/loongclaw/loongclaw/agent/model/providers"
)

func TestSees(t *testing.T) {
	for model, want := range map[string]bool{
		"claude-sonnet-5-5": true, "claude-3-haiku-20240307": true, "anthropic/claude-opus-5": true, "us.anthropic.claude-3-haiku": true, "claude-2.1": false,
		"gpt-4o-mini": true, "gpt-4.1-mini": true, "gpt-6-luna": true, "o3": true, "o3-mini": false, "o1-mini": false, "gpt-3.5-turbo": false, "gpt-4": false, "gpt-4o-audio-preview": false,
		"gemini-3.5-flash-lite": true, "google/gemini-2.0-flash-001": true, "gemma3:12b": true, "gemma-2-9b": false,
		"glm-4-flash": false, "glm-4.6": false, "glm-4.6v": true, "GLM-4V-Plus": true, "glm-5": false,
		"qwen-plus": false, "qwen3": false, "Qwen/Qwen2.5-VL-72B-Instruct": true, "qwen-vl-max": true, "qwen3.5-plus": true, "qwen2.5:7b": false,
		"deepseek-flash": true, "deepseek-v4-pro": false, "deepseek-ai/DeepSeek-V3": false,
		"kimi-k2.6": true, "kimi-k2-thinking": false, "moonshot-v1-8k-vision-preview": true, "moonshot-v1-8k": false,
		"llava:13b": true, "llama3.2-vision": true, "llama-3.3-70b-versatile": false, "meta-llama/Llama-4-Scout": true, "pixtral-12b-2409": true,
		"grok-4.3": true, "grok-3": false, "openai/gpt-oss-20b": false, "MiniMax-M2": false, "MiniMax-M3": true, "": false, "standin": false, "revision-3": false, "my-vlan": false,
	} {
		if got := providers.Sees(model); got != want {
			t.Errorf("%s: got %v, want %v", model, got, want)
		}
	}
}

// A model of the table is in the same words whether it is asked for by name or by
// default.
func TestTheTableSeesWhatItsNamesSay(t *testing.T) {
	for _, s := range providers.All() {
		if got := providers.Sees(s.Model); got != s.Vision {
			t.Errorf("%s: by its name %s sees: %v, by the table: %v", s.Name, s.Model, got, s.Vision)
		}
	}
}

func TestPricesSayWhenAndWhere(t *testing.T) {
	known := 0
	for _, s := range providers.All() {
		p := s.Prices
		if p == nil {
			continue
		}
		known++
		if !regexp.MustCompile(`^[A-Z]{3}$`).MatchString(p.Currency) || !regexp.MustCompile(`^20\d\d-\d\d-\d\d$`).MatchString(p.Date) || !regexp.MustCompile(`^https://`).MatchString(p.Source) {
			t.Errorf("%s: %+v", s.Name, *p)
		}
		if p.Input < 0 || p.Output < p.Input || (p.Cached != nil && *p.Cached >= p.Input) {
			t.Errorf("%s: no such prices: %+v", s.Name, *p)
		}
	}
	if known < 3 {
		t.Errorf("only %d prices are known", known)
	}
}

func TestParsePrices(t *testing.T) {
	for text, want := range map[string]string{
		"2,10,0.2 USD": "2 10 0.2 USD", " 0.8,2   cny ": "0.8 2 - CNY", "0,0": "0 0 - USD", "1,2": "1 2 - USD",
		"": "", "2": "", "2,10,0.2,4": "", "-1,2": "", "NaN,2": "", "Inf,2": "", "a,b": "", "1,2 dollars": "", "1, 2 EUR": "1 2 - EUR", "1 2": "", "USD 1,2": "",
	} {
		p, err := providers.ParsePrices(text)
		got := ""
		if err == nil {
			cached := "-"
			if p.Cached != nil {
				cached = num(*p.Cached)
			}
			got = num(p.Input) + " " + num(p.Output) + " " + cached + " " + p.Currency
		}
		if got != want {
			t.Errorf("%q: got %q (%v), want %q", text, got, err, want)
		}
	}
}

func num(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
