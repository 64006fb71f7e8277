package refusal

import (
	"net/http"
	"slices"
	"strings"
)

// Kind says what a refusal is about.
type Kind string

// The kinds of refusals.
const (
	TooLong    Kind = "too_long"   // for the model's window, or for what may be sent at once
	MustPay    Kind = "must_pay"   // the account is empty, or has none
	Key        Kind = "key"        // wrong, expired, or without the right
	Region     Kind = "region"     // not served from here
	Content    Kind = "content"    // what was asked is not allowed
	NoTools    Kind = "no_tools"   // the model cannot call tools
	NoModel    Kind = "no_model"   // no such model at this address
	Busy       Kind = "busy"       // too many requests of ours
	Overloaded Kind = "overloaded" // too many requests of everybody
	TimedOut   Kind = "timed_out"
	Trouble    Kind = "trouble" // the provider's own fault
	Unknown    Kind = "unknown"
)

// rule knows a kind by what a provider says. Codes and types are compared whole,
// phrases are parts of the lower-case message.
type rule struct {
	kind    Kind
	codes   []string
	phrases []string
}

// rules are tried in order: what says more comes first. A quota that is used up
// comes with the status of a busy provider, a region with that of a wrong key.
// Where a vendor's documentation has its codes: openai.com and platform pages of
// each; the phrases are those of real answers.
var rules = []rule{
	{TooLong, []string{"context_length_exceeded", "exceed_context_size_error", "string_above_max_length", "request_too_large", "1261", "model_context_window_exceeded"}, []string{
		"context length", "context_length", "context window", "context_window", "context size", "maximum context", "max context", // OpenAI, vLLM, llama.cpp, xAI
		"prompt is too long", "exceed context limit", "input is too long", "too many tokens", "exceeded model token limit", // Anthropic, Bedrock, Kimi
		"input token count", "maximum number of tokens allowed", "range of input length", // Gemini, DashScope
		"request too large for", "maximum prompt length", "prompt contains", "input length exceed", "token limit exceeded", // Groq, xAI, Mistral
		"reduce the length of the", "tokens exceed", "exceeds the maximum length", "total tokens of",
		"超长", "上下文长度", "超过最大长度", "超出最大", "输入长度", // GLM, Doubao, SiliconFlow
	}},
	{Busy, []string{"resource_exhausted", "rate_limit_reached_error", "1302", "1303"}, []string{"please retry in"}}, // Gemini says "quota" of a minute's limit, too
	{MustPay, []string{
		"insufficient_quota", "exceeded_current_quota_error", "billing_error", "billing_not_active", "arrearage", "accountoverdueerror", "insufficient_balance", "1113", "1008", "30001",
	}, []string{
		"insufficient balance", "balance insufficient", "balance is not enough", "account balance", "credit balance", "insufficient credit", "more credits", "out of credits", "available credits",
		"insufficient_quota", "insufficient quota", "current quota", "billing", "in good standing", "payment required", "spending limit", "api usage limits", "prepaid", "overdue",
		"余额不足", "欠费", "额度不足", "无可用资源包", "充值",
	}},
	{Region, []string{"unsupported_country_region_territory"}, []string{
		"country, region", "location is not supported", "not available in your region", "not available in your country", "unsupported region", "region is not supported", "region not supported",
	}},
	{Content, []string{
		"content_filter", "content_policy_violation", "data_inspection_failed", "datainspectionfailed", "sensitivecontentdetected", "moderation_blocked", "prohibited_content", "1301", "1026", "1027",
	}, []string{
		"content management policy", "content_filter", "content filter", "content policy", "flagged", "moderation", "high risk", "inappropriate content", "sensitive content", "sensitivecontent", "data may contain",
		"responsible ai", "usage policies", "safety", "violat", "不安全", "敏感", "违规",
	}},
	{NoTools, nil, []string{
		"does not support tool", "does not support function", "not support function call", "support tool use", "tool use is not supported", "tool calling is not supported", "tools are not supported", "tools is not supported",
		"tool use with function calling is unsupported", "tool choice requires", "does not support the tools", "function calling is not enabled", "不支持工具", "不支持函数",
	}},
	{Overloaded, []string{"overloaded_error", "engine_overloaded_error", "overloaded", "server_overloaded", "1305", "1312", "50505"}, []string{
		"overloaded", "server is busy", "servers are busy", "too busy", "at capacity", "over capacity", "high demand", "temporarily unavailable", "访问量过大", "系统繁忙",
	}},
	{Busy, []string{"rate_limit_error", "rate_limit_exceeded", "rate_limited", "ratelimitexceeded", "throttling", "throttling.ratequota", "limit_requests", "limit_burst_rate", "1002", "1039"}, []string{
		"rate limit", "rate_limit", "too many requests", "requests per minute", "tokens per minute", "throttl", "请求过多", "频率", "并发",
	}},
	{Key, []string{"invalid_api_key", "invalid_authentication_error", "authentication_error", "permission_error", "unauthenticated", "permission_denied", "1000", "1001", "1003", "1004", "invalidapikey", "accessdenied", "2049"}, []string{
		"api key", "api_key", "apikey", "authentication", "unauthorized", "invalid token", "auth credentials", "access token", "no auth", "令牌", "身份验证",
	}},
	{NoModel, []string{"model_not_found", "model_not_exist", "model_decommissioned", "resource_not_found_error", "not_found_error", "invalidendpointormodel.notfound", "invalid_model", "1211", "20012"}, []string{
		"model not exist", "no such model", "unknown model", "not found the model", "model not found", "not a valid model", "invalid model", "has been decommissioned", "try pulling it first", "模型不存在",
	}},
	{TimedOut, []string{"timeout_error", "deadline_exceeded", "request_timeout"}, []string{"timed out", "deadline exceeded"}},
	{Trouble, []string{"api_error", "server_error", "internal_server_error", "internal_error", "internal"}, []string{"internal server error", "internal error"}},
}

// Kind classifies what was said. Words count before the status, which several
// providers use for something else.
func (w *Words) Kind() Kind {
	codes := strings.Fields(strings.ToLower(w.Type + " " + w.Code))
	said := strings.ToLower(w.Message)
	for _, r := range rules {
		if r.matches(codes, said) && w.mayBe(r.kind) {
			return r.kind
		}
	}
	return w.byStatus()
}

func (r *rule) matches(codes []string, said string) bool {
	return slices.ContainsFunc(r.codes, func(c string) bool { return slices.Contains(codes, c) }) ||
		slices.ContainsFunc(r.phrases, func(p string) bool { return strings.Contains(said, p) })
}

// mayBe reports whether the status allows a kind that common words made likely.
// A provider's own trouble is its own, whatever its text speaks of.
func (w *Words) mayBe(k Kind) bool {
	switch k {
	case Key, Content, NoModel, NoTools, Region, MustPay:
		return w.Status < 500
	case Busy:
		return w.Status != http.StatusUnauthorized // a number that is another vendor's wrong key
	case TooLong:
		// "max_tokens is too large" is a setting, and no fewer messages mend it.
		return !strings.Contains(strings.ToLower(w.Message), "max_tokens is too large")
	}
	return true
}

func (w *Words) byStatus() Kind {
	switch s := w.Status; {
	case s == http.StatusPaymentRequired:
		return MustPay
	case s == http.StatusTooManyRequests:
		return Busy
	case s == http.StatusUnauthorized, s == http.StatusForbidden:
		return Key
	case s == http.StatusNotFound:
		return NoModel
	case s == http.StatusRequestEntityTooLarge:
		return TooLong
	case s == http.StatusRequestTimeout, s == http.StatusGatewayTimeout, s == 524:
		return TimedOut
	case s == 529: // Anthropic's own
		return Overloaded
	case s >= 500:
		return Trouble
	}
	return Unknown
}
