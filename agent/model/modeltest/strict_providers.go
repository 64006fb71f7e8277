package modeltest

import "regexp"

var (
	anyID     = regexp.MustCompile(`.`)
	plainID   = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,40}$`)
	nineID    = regexp.MustCompile(`^[a-zA-Z0-9]{9}$`)
	dottedID  = regexp.MustCompile(`^[a-zA-Z0-9_.:-]{1,64}$`)
	plainName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
	wordName  = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$`)

	standard = []string{"role", "content", "tool_calls", "tool_call_id"}
)

// strictness says what each provider refuses. The sources are those of the rules
// in agent/model/dialect; where reports contradict each other, the stricter one
// is played here.
var strictness = map[string]strict{
	"openai":      {id: plainID, name: plainName, messageFields: standard, bodyFields: []string{"max_tokens"}},
	"deepseek":    {blind: true, id: plainID, name: plainName, successive: true, nullContent: true, reasoning: "reasoning_content", always: true},
	"kimi":        {id: dottedID, name: plainName, reasoning: "reasoning_content", withCalls: true},
	"glm":         {code: "1214", id: plainID, name: plainName, choices: []string{"auto"}, bodyFields: []string{"stream_options", "max_completion_tokens"}},
	"qwen":        {id: plainID, name: plainName, nullContent: true},
	"doubao":      {code: "MissingParameter", id: plainID, name: plainName, nullContent: true, emptyContent: true},
	"minimax":     {code: "2013", id: plainID, name: plainName, successive: true},
	"siliconflow": {code: "20015", id: plainID, name: plainName, successive: true},
	"anthropic":   {id: plainID, name: plainName, emptyContent: true, messageFields: standard},
	"gemini":      {id: plainID, name: wordName, named: true, successive: true, google: true},
	"mistral":     {images: 8, status: 422, id: nineID, name: plainName, alternate: true, bridge: true, messageFields: append([]string{"name", "prefix"}, standard...), bodyFields: []string{"stream_options", "max_completion_tokens"}},
	"groq":        {images: 5, imageBytes: 4 << 20, id: plainID, name: plainName, messageFields: standard},
	"xai":         {id: plainID, name: plainName, emptyContent: true, messageFields: standard},
	"cerebras":    {blind: true, status: 422, id: plainID, name: plainName, messageFields: standard},
	"openrouter":  {id: plainID, name: plainName, successive: true, bridge: true},
	"ollama":      {id: plainID, name: plainName, nullContent: true, alternate: true},
	"lmstudio":    {self: "openai", id: plainID, name: plainName, nullContent: true, alternate: true},

	// Models and servers behind an address of which nothing is known.
	"openrouter-gemini":  {self: "openrouter", id: plainID, name: wordName, successive: true, openrouter: true},
	"openrouter-mistral": {self: "openrouter", id: nineID, name: plainName, alternate: true, bridge: true},
	"bedrock":            {self: "openai", id: plainID, name: plainName, successive: true, emptyContent: true, choices: []string{"auto", "required"}},
	"gemma":              {self: "openai", status: 500, id: anyID, name: plainName, alternate: true, noSystem: true, nullContent: true},
	"llamacpp":           {self: "openai", status: 500, id: anyID, name: plainName, alternate: true, bridge: true, named: true, nullContent: true},
	"vllm-mistral":       {self: "openai", id: nineID, name: plainName, alternate: true, bridge: true},
	"vllm-kimi":          {self: "openai", id: dottedID, name: plainName, reasoning: "reasoning_content", withCalls: true, nullContent: true},
	"vllm-deepseek":      {self: "openai", id: plainID, name: plainName, reasoning: "reasoning_content", always: true, nullContent: true},
	"unknown":            {self: "openai", id: plainID, name: wordName, alternate: true, bridge: true, named: true, nullContent: true},
}
