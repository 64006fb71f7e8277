package anthropic

import "testing"

func TestModels(t *testing.T) {
	for model, want := range map[string]struct {
		g           generation
		tokens      int
		temperature bool
	}{
		"claude-3-haiku-20240307":                  {generation{"", 3, 0}, 4096, true},
		"claude-3-5-sonnet-latest":                 {generation{"", 3, 5}, 8192, true},
		"claude-3-7-sonnet-20250219":               {generation{"", 3, 7}, 64000, true},
		"claude-sonnet-4-20250514":                 {generation{"sonnet", 4, 0}, 64000, true},
		"claude-opus-4-1-20250805":                 {generation{"opus", 4, 1}, 32000, true},
		"claude-opus-4@20250514":                   {generation{"opus", 4, 0}, 32000, true},
		"anthropic.claude-opus-4-5-20251101-v1:0":  {generation{"opus", 4, 5}, 64000, true},
		"claude-sonnet-4-5":                        {generation{"sonnet", 4, 5}, 64000, true},
		"claude-sonnet-4-6":                        {generation{"sonnet", 4, 6}, 64000, true},
		"claude-opus-4-6":                          {generation{"opus", 4, 6}, 128000, true},
		"claude-opus-4-7":                          {generation{"opus", 4, 7}, 128000, false},
		"anthropic/claude-opus-4.8":                {generation{"opus", 4, 8}, 128000, false},
		"claude-sonnet-5":                          {generation{"sonnet", 5, 0}, 128000, false},
		"claude-fable-5-1":                         {generation{"fable", 5, 1}, 128000, false},
		"claude-haiku-5-5":                         {generation{"haiku", 5, 5}, 128000, false},
		"kimi-k2.6":                                {generation{}, 8192, true},
		"":                                         {generation{}, 8192, true},
		"us.anthropic.claude-3-opus-20240229-v1:0": {generation{"", 3, 0}, 4096, true},
	} {
		g := generationOf(model)
		if g != want.g || g.maxTokens() != want.tokens || g.temperature() != want.temperature {
			t.Errorf("%s is %+v with %d tokens, temperature %v; want %+v", model, g, g.maxTokens(), g.temperature(), want)
		}
	}
}

func TestWindows(t *testing.T) {
	for model, want := range map[string]int{"claude-3-haiku-20240307": 200000, "claude-sonnet-4-5": 200000, "claude-opus-5": 1000000, "glm-5": 0} {
		if got := Window(model); got != want {
			t.Errorf("%s has %d tokens, want %d", model, got, want)
		}
	}
}
