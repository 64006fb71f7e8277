package refusal_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/refusal"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Each line is an answer in the form of that service, with its codes and its short
// phrases; the rest of the words are our own. Sources: the vendors' pages of error
// codes, and reports of their users as named.
var answers = []struct {
	service string
	status  int
	body    string
	want    refusal.Kind
}{
	// too long
	{"openai", 400, `{"error":{"message":"This model's maximum context length is 8 tokens","type":"invalid_request_error","code":"context_length_exceeded"}}`, refusal.TooLong},
	{"kimi (MoonshotAI/kimi-code#207)", 400, `{"error":{"message":"Your request exceeded model token limit: 9","type":"invalid_request_error"}}`, refusal.TooLong},
	{"llama.cpp (ggml-org/llama.cpp#15780)", 400, `{"error":{"code":400,"message":"request (9 tokens) exceeds the available context size","type":"exceed_context_size_error"}}`, refusal.TooLong},
	{"anthropic", 400, `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens > 8 maximum"}}`, refusal.TooLong},
	{"anthropic, bytes", 413, `{"type":"error","error":{"type":"request_too_large","message":"Request exceeds the maximum size"}}`, refusal.TooLong},
	{"glm", 400, `{"error":{"code":"1261","message":"Prompt 超长"}}`, refusal.TooLong},
	{"gemini", 400, `[{"error":{"code":400,"message":"The input token count (9) exceeds the maximum number of tokens allowed (8).","status":"INVALID_ARGUMENT"}}]`, refusal.TooLong},
	{"qwen", 400, `{"error":{"code":"invalid_parameter_error","message":"Range of input length should be [1, 8]","type":"invalid_request_error"}}`, refusal.TooLong},
	{"groq", 413, `{"error":{"message":"Request too large for model","type":"tokens","code":"rate_limit_exceeded"}}`, refusal.TooLong},
	{"vllm", 400, `{"object":"error","message":"maximum context length is 8 tokens","type":"BadRequestError","param":null,"code":400}`, refusal.TooLong},
	{"mistral", 400, `{"object":"error","message":"Prompt contains 9 tokens, too large for model","type":"invalid_request_error","code":"3051"}`, refusal.TooLong},
	{"xai", 400, `{"code":"x","error":"This model's maximum prompt length is 8"}`, refusal.TooLong},
	{"openrouter", 400, `{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":{\"message\":\"input length exceeds the context length\"}}","provider_name":"x"}}}`, refusal.TooLong},
	{"bedrock by litellm", 400, `{"error":{"message":"litellm.BadRequestError: Input is too long for requested model.","type":null,"param":null,"code":"400"}}`, refusal.TooLong},
	// must pay
	{"openai", 429, `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}`, refusal.MustPay},
	{"anthropic (anthropics/claude-code#4684)", 400, `{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}`, refusal.MustPay},
	{"kimi", 429, `{"error":{"message":"please check your plan and billing details","type":"exceeded_current_quota_error"}}`, refusal.MustPay},
	{"qwen", 400, `{"error":{"code":"Arrearage","message":"make sure your account is in good standing"}}`, refusal.MustPay},
	{"deepseek", 402, `{"error":{"message":"Insufficient Balance","type":"unknown_error","code":"invalid_request_error"}}`, refusal.MustPay},
	{"glm", 429, `{"error":{"code":"1113","message":"余额不足或无可用资源包"}}`, refusal.MustPay},
	{"minimax, in a 200", 200, `{"id":"x","choices":null,"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}`, refusal.MustPay},
	{"openrouter", 402, `{"error":{"message":"This request requires more credits","code":402}}`, refusal.MustPay},
	{"siliconflow", 403, `{"code":30001,"message":"Sorry, your account balance is insufficient","data":null}`, refusal.MustPay},
	{"xai", 429, `{"code":"x","error":"Your team has used all available credits or reached its monthly spending limit"}`, refusal.MustPay},
	{"doubao", 403, `{"error":{"code":"AccountOverdueError","message":"account is overdue","type":"Forbidden"}}`, refusal.MustPay},
	// key
	{"openai", 401, `{"error":{"message":"Incorrect API key provided: sk-abcd****wxyz.","type":"invalid_request_error","code":"invalid_api_key"}}`, refusal.Key},
	{"gemini", 400, `[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}]`, refusal.Key},
	{"in a 200", 200, `{"code":"invalid_api_key","message":"Incorrect API key provided"}`, refusal.Key},
	{"anthropic", 401, `{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}`, refusal.Key},
	{"glm", 401, `{"error":{"code":"1002","message":"Authorization Token非法"}}`, refusal.Key},
	{"minimax, in a 200", 200, `{"base_resp":{"status_code":1004,"status_msg":"login fail: carry the API secret key"}}`, refusal.Key},
	{"text", 401, `Unauthorized`, refusal.Key},
	// region
	{"openai", 403, `{"error":{"message":"Country, region, or territory not supported","type":"request_forbidden","code":"unsupported_country_region_territory"}}`, refusal.Region},
	{"gemini", 400, `[{"error":{"code":400,"message":"User location is not supported for the API use.","status":"FAILED_PRECONDITION"}}]`, refusal.Region},
	// content
	{"openrouter", 403, `{"error":{"message":"requires moderation. Your input was flagged for \"violence\".","code":403}}`, refusal.Content},
	{"glm", 400, `{"error":{"code":"1301","message":"可能包含不安全或敏感内容"}}`, refusal.Content},
	{"kimi", 400, `{"error":{"message":"rejected because it was considered high risk","type":"content_filter"}}`, refusal.Content},
	{"qwen", 400, `{"error":{"code":"data_inspection_failed","message":"Input data may contain inappropriate content."}}`, refusal.Content},
	{"azure", 400, `{"error":{"code":"content_filter","message":"triggering the content management policy","status":400}}`, refusal.Content},
	{"minimax, in a 200", 200, `{"base_resp":{"status_code":1026,"status_msg":"input new_sensitive"}}`, refusal.Content},
	{"doubao", 400, `{"error":{"code":"SensitiveContentDetected","message":"may contain sensitive information"}}`, refusal.Content},
	// no tools
	{"ollama (ollama/ollama#13522)", 400, `{"error":{"message":"registry/x does not support tools","type":"api_error"}}`, refusal.NoTools},
	{"openrouter", 404, `{"error":{"message":"No endpoints found that support tool use.","code":404}}`, refusal.NoTools},
	{"vllm", 400, `{"object":"error","message":"\"auto\" tool choice requires --enable-auto-tool-choice","type":"BadRequestError","code":400}`, refusal.NoTools},
	{"siliconflow", 400, `{"code":20037,"message":"Function call is not enabled: this model does not support function call","data":null}`, refusal.NoTools},
	// no such model
	{"openai", 404, `{"error":{"message":"The model x does not exist or you do not have access to it.","type":"invalid_request_error","code":"model_not_found"}}`, refusal.NoModel},
	{"deepseek", 400, `{"error":{"message":"Model Not Exist","type":"invalid_request_error"}}`, refusal.NoModel},
	{"kimi", 404, `{"error":{"message":"Not found the model x or Permission denied","type":"resource_not_found_error"}}`, refusal.NoModel},
	{"anthropic", 404, `{"type":"error","error":{"type":"not_found_error","message":"model: x"}}`, refusal.NoModel},
	{"groq", 400, `{"error":{"message":"The model x has been decommissioned","type":"invalid_request_error","code":"model_decommissioned"}}`, refusal.NoModel},
	{"openrouter", 400, `{"error":{"message":"x is not a valid model ID","code":400}}`, refusal.NoModel},
	{"ollama", 404, `{"error":{"message":"model \"x\" not found, try pulling it first","type":"not_found_error"}}`, refusal.NoModel},
	{"glm", 400, `{"error":{"code":"1211","message":"模型不存在，请检查模型代码。"}}`, refusal.NoModel},
	// busy and overloaded
	{"openai", 429, `{"error":{"message":"Rate limit reached for requests","type":"requests","code":"rate_limit_exceeded"}}`, refusal.Busy},
	{"gemini", 429, `[{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED"}}]`, refusal.Busy},
	{"qwen", 429, `{"error":{"code":"limit_requests","message":"You exceeded your current requests list"}}`, refusal.Busy},
	{"glm", 429, `{"error":{"code":"1302","message":"并发数过高"}}`, refusal.Busy},
	{"minimax, in a 200", 200, `{"base_resp":{"status_code":1002,"status_msg":"rate limit"}}`, refusal.Busy},
	{"text", 429, `slow down`, refusal.Busy},
	{"anthropic", 529, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, refusal.Overloaded},
	{"anthropic, in the stream", 200, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, refusal.Overloaded},
	{"kimi", 429, `{"error":{"message":"The engine is currently overloaded","type":"engine_overloaded_error"}}`, refusal.Overloaded},
	{"gemini", 503, `[{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}]`, refusal.Overloaded},
	{"deepseek", 503, `{"error":{"message":"Service is too busy","type":"x"}}`, refusal.Overloaded},
	// the provider's own
	{"openai", 500, `{"error":{"message":"The server had an error","type":"server_error"}}`, refusal.Trouble},
	{"a proxy", 502, `<html>Bad gateway</html>`, refusal.Trouble},
	{"a proxy", 504, ``, refusal.TimedOut},
	{"cloudflare", 524, `error code: 524`, refusal.TimedOut},
	{"its own trouble with its own key", 500, `{"error":{"message":"upstream api key is wrong"}}`, refusal.Trouble},
	// a setting, and no length of a conversation
	{"openai", 400, `{"error":{"message":"max_tokens is too large: 9. This model supports at most 8 completion tokens","type":"invalid_request_error"}}`, refusal.Unknown},
	{"anybody", 400, `{"error":{"message":"temperature must be 1","type":"invalid_request_error"}}`, refusal.Unknown},
}

func TestKinds(t *testing.T) {
	for _, a := range answers {
		w := refusal.Parse(a.status, []byte(a.body))
		if got := w.Kind(); got != a.want {
			t.Errorf("%s %d %s: %s, want %s (%+v)", a.service, a.status, a.body, got, a.want, w)
		}
		if a.status == 200 {
			if _, in := refusal.InAnswer([]byte(a.body)); !in {
				t.Errorf("%s: %s is no error", a.service, a.body)
			}
		}
		f, retry := w.Fault(refusal.Who{Provider: "openai", Model: "m"})
		if again := map[refusal.Kind]bool{refusal.Busy: true, refusal.Overloaded: true, refusal.TimedOut: true, refusal.Trouble: true}[a.want]; retry != again {
			t.Errorf("%s: asked again: %v, want %v", a.body, retry, again)
		}
		if errors.Is(f, loop.ErrTooLong) != (a.want == refusal.TooLong) || f.Hint == "" || f.Status() < 500 {
			t.Errorf("%s: %v", a.body, f)
		}
	}
}

func TestWhatIsNoError(t *testing.T) {
	for _, body := range []string{
		`{"choices":[{"delta":{"content":"x"}}],"error":""}`, `{"choices":[],"error":{}}`, `{"choices":[],"error":null}`, `{"choices":[],"error":false}`,
		`{"choices":[{}],"base_resp":{"status_code":0,"status_msg":""}}`, `{"id":"x","code":0,"message":"success","choices":[]}`, `{"type":"message_start","message":{}}`, `[]`, `7`, ``,
	} {
		if w, in := refusal.InAnswer([]byte(body)); in {
			t.Errorf("%s is the error %+v", body, w)
		}
	}
}

func TestASentenceTellsNothingPrivate(t *testing.T) {
	for said, want := range map[string]string{
		"The thing is wrong. Visit https://x.example/y for more.":                               "The thing is wrong.",
		"Bad value for org-AbCdEf123 at 10.0.0.7:8080":                                          "Bad value for … at …",
		"请求参数错误。请联系客服":                                                                          "请求参数错误。",
		"Project proj_4711abcd of user bob@example.org with key sk-proj-abcdefgh and 123456789": "Project … of user … with key … and …",
		"see api.example.com and 9f8e7d6c5b4a39281706f5e4d3c2b1a0":                              "see … and …",
		"id 123e4567-e89b-12d3-a456-426614174000 failed":                                        "id … failed",
		"temperature must be 1":                                                                 "temperature must be 1",
	} {
		if got := refusal.Sentence(said); got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
	if long := refusal.Sentence(strings.Repeat("长", 300)); len(long) > 200 || !strings.HasSuffix(long, "…") {
		t.Errorf("%d bytes", len(long))
	}
}

func TestAnUnknownRefusalHasTheProvidersWords(t *testing.T) {
	w := refusal.Parse(400, []byte(`{"error":{"message":"temperature must be 1. Ask org-12345678."}}`))
	f, _ := w.Fault(refusal.Who{Provider: "kimi", Model: "m", Clip: func(s string) string { return s }})
	if f.Code != fault.CodeProviderFailed || !strings.Contains(f.Hint, "temperature must be 1.") || strings.Contains(fmt.Sprint(f.Message, f.Hint), "org-1") {
		t.Errorf("%s / %s", f.Message, f.Hint)
	}
}

func FuzzParse(f *testing.F) {
	for _, a := range answers {
		f.Add(a.status, []byte(a.body))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		w := refusal.Parse(status, body)
		e, _ := w.Fault(refusal.Who{Provider: "glm", Model: "m"})
		if e == nil || e.Message == "" || e.Hint == "" || len(e.Hint) > 400 {
			t.Errorf("%d %q: %+v", status, body, e)
		}
		refusal.InAnswer(body)
	})
}
