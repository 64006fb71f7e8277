package langchain

import "github.com/loongclaw/loongclaw/pkg/chat"

// usage counts tokens, under any of the names that providers have for it.
type usage struct {
	Prompt     number `json:"prompt_tokens"`
	Completion number `json:"completion_tokens"`
	Total      number `json:"total_tokens"`
	Input      number `json:"input_tokens"`
	Output     number `json:"output_tokens"`

	PromptDetails     object[usageDetails] `json:"prompt_tokens_details"`
	InputDetails      object[usageDetails] `json:"input_tokens_details"`
	CompletionDetails object[usageDetails] `json:"completion_tokens_details"`
	OutputDetails     object[usageDetails] `json:"output_tokens_details"`
	Hit               number               `json:"prompt_cache_hit_tokens"` // DeepSeek's
	Cached            number               `json:"cached_tokens"`           // Kimi's
	Reasoning         number               `json:"reasoning_tokens"`
}

type usageDetails struct {
	Cached    number `json:"cached_tokens"`
	Reasoning number `json:"reasoning_tokens"`
}

// tokens is the count in our form, nil where it says nothing.
func (u *usage) tokens() *chat.Usage {
	if u == nil {
		return nil
	}
	out := chat.Usage{
		PromptTokens: int(max(u.Prompt, u.Input)), CompletionTokens: int(max(u.Completion, u.Output)), TotalTokens: int(u.Total),
		CachedTokens:    int(max(u.Hit, u.Cached, details(u.PromptDetails).Cached, details(u.InputDetails).Cached)),
		ReasoningTokens: int(max(u.Reasoning, details(u.CompletionDetails).Reasoning, details(u.OutputDetails).Reasoning)),
	}
	if out.PromptTokens+out.CompletionTokens+out.TotalTokens == 0 {
		return nil
	}
	sum := out.PromptTokens + out.CompletionTokens
	if out.ReasoningTokens > 0 && sum+out.ReasoningTokens == out.TotalTokens {
		out.CompletionTokens += out.ReasoningTokens // xAI counts them beside the completion
		sum = out.TotalTokens
	}
	if out.TotalTokens == 0 {
		out.TotalTokens = sum
	}
	out.CachedTokens = min(out.CachedTokens, out.PromptTokens)
	out.ReasoningTokens = min(out.ReasoningTokens, out.CompletionTokens)
	return &out
}

// details are those of a count, zero where it has none.
func details(o object[usageDetails]) usageDetails {
	if o.value == nil {
		return usageDetails{}
	}
	return *o.value
}
