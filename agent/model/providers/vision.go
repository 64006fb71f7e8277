package providers

import (
	"regexp"
	"strings"
)

// seeing are the names of models that read images, whoever serves them: by their
// vendors' overviews of November 2026. What no pattern knows counts as one that does
// not, since an image that is sent to it fails the whole turn.
var seeing = regexp.MustCompile(`(?:^|\.)(?:` + strings.Join([]string{
	`claude-(?:[a-z]+-)?[3-9]`, // from the third generation on
	`gpt-4o`, `gpt-4\.1`, `gpt-4-turbo`, `gpt-[5-9]`, `chatgpt-`, `o[134](?:$|-(?:pro|20))`, `o4-mini`,
	`gemini-`, `gemma-?[3-9]`,
	`grok-[4-9]`,
	`pixtral`, `mistral-(?:small|medium|large)-latest`, `mistral-small-[3-9]`, `mistral-small-2[5-9]`, `mistral-medium-[3-9]`, `mistral-large-[3-9]`,
	`llama-?4`, `llama-?3\.2-vision`, `llava`, `minicpm-?v`, `internvl`,
	`kimi-k2\.[5-9]`, `kimi-k[3-9]`, `minimax-m[3-9]`, `deepseek-flash`,
	`glm-\d+(?:\.\d+)?v`, `doubao-seed-`, `qwen3\.[5-9]`, `qwen-?vl`, `qvq`,
}, "|") + `)|(?:^|[-._])(?:vl|vision|omni)(?:$|[-._:\d])`)

// Sees reports whether a model reads images, by its name. A name may begin with
// whose it is, as gateways write it.
func Sees(model string) bool {
	name := strings.ToLower(model)
	if at := strings.LastIndexByte(name, '/'); at >= 0 {
		name = name[at+1:]
	}
	if strings.HasPrefix(name, "o1-mini") || strings.HasPrefix(name, "o3-mini") || strings.Contains(name, "audio") {
		return false
	}
	return seeing.MatchString(name)
}
