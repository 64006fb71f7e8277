package dialect

import (
	"net/url"
	"regexp"
	"strings"
)

// The rows of the table: names under which a provider is configured.
const (
	OpenAI      = "openai"
	DeepSeek    = "deepseek"
	Kimi        = "kimi"
	GLM         = "glm"
	Qwen        = "qwen"
	Doubao      = "doubao"
	MiniMax     = "minimax"
	SiliconFlow = "siliconflow"
	Anthropic   = "anthropic"
	Gemini      = "gemini"
	Mistral     = "mistral"
	Groq        = "groq"
	XAI         = "xai"
	OpenRouter  = "openrouter"
	Ollama      = "ollama"
	LMStudio    = "lmstudio"
	Cerebras    = "cerebras"
	unknown     = "unknown"
)

// hosts are the addresses by which a provider is known whatever it is called in
// the configuration. A name that begins with a dot also stands for what is below.
var hosts = []struct{ suffix, row string }{
	{"api.openai.com", OpenAI},
	{".openai.azure.com", OpenAI},
	{".deepseek.com", DeepSeek},
	{".moonshot.cn", Kimi},
	{".moonshot.ai", Kimi},
	{".kimi.com", Kimi},
	{".kimi.ai", Kimi},
	{".bigmodel.cn", GLM},
	{".z.ai", GLM},
	{".aliyuncs.com", Qwen},
	{".volces.com", Doubao},
	{".bytepluses.com", Doubao},
	{".minimax.io", MiniMax},
	{".minimaxi.com", MiniMax},
	{".minimax.chat", MiniMax},
	{".siliconflow.cn", SiliconFlow},
	{".siliconflow.com", SiliconFlow},
	{".anthropic.com", Anthropic},
	{"generativelanguage.googleapis.com", Gemini},
	{".mistral.ai", Mistral},
	{".groq.com", Groq},
	{".x.ai", XAI},
	{".openrouter.ai", OpenRouter},
	{".ollama.com", Ollama},
	{".cerebras.ai", Cerebras},
}

// ports are where servers of one's own listen if nobody told them otherwise.
var ports = map[string]string{"11434": Ollama, "1234": LMStudio}

// Of returns the rules of a model at an address. The address counts for more than
// the name: somebody who sets OPENAI_BASE_URL to another vendor talks to that one.
func Of(provider, model string, at *url.URL) Rules {
	name := rowOf(provider, at)
	r := base()
	r.Name = name
	if set := rows[name]; set != nil {
		set(&r)
	}
	if !final[name] {
		for _, m := range models {
			if m.name.MatchString(model) {
				m.set(&r)
			}
		}
	}
	if name == OpenAI && openAIReasoning.MatchString(model) || name == Kimi && kimiFixed.MatchString(model) {
		r.Temperature = false
	}
	if (name == Gemini || name == OpenRouter) && signless.MatchString(model) {
		r.Signature = SignatureNone
	}
	return r
}

func rowOf(provider string, at *url.URL) string {
	if at != nil {
		host := strings.ToLower(strings.TrimSuffix(at.Hostname(), "."))
		for _, h := range hosts {
			if host == strings.TrimPrefix(h.suffix, ".") || strings.HasPrefix(h.suffix, ".") && strings.HasSuffix(host, h.suffix) {
				return h.row
			}
		}
	}
	if provider != OpenAI && rows[provider] != nil {
		return provider
	}
	if at != nil && ports[at.Port()] != "" {
		return ports[at.Port()]
	}
	return unknown
}

// base is what a server is taken for of which nothing is known: everything that
// anybody refuses is mended as long as nobody refuses the mended form.
//
//   - Alternate, Bridge: the templates of Gemma and Mistral on llama.cpp, vLLM and
//     Ollama raise an exception (vllm-project/vllm#6862, ggml-org/llama.cpp#19851,
//     NousResearch/hermes-agent#20154).
//   - UserLast: a last message of the assistant is a prefill, which thinking models
//     refuse (ggml-org/llama.cpp#20861), Mistral wants marked, and Claude no longer
//     takes.
//   - OwnIDs: behind an unknown address may be a model of Mistral
//     (nearai/ironclaw#1241); ids that it gave itself it takes.
//   - ContentEmpty: LM Studio (lmstudio-ai/lmstudio-bug-tracker#261) and Ollama
//     (pydantic/pydantic-ai#5206) refuse null, and so do older servers.
//   - Declared: gateways before Bedrock (BerriAI/litellm#24712).
//   - Reasoning: only what the server gave itself, in the field in which most give it.
//   - Choose: what most servers of one's own take; who refuses is asked again in words.
func base() Rules {
	return Rules{
		On: everywhere | Alternate | Bridge | ChoiceNone | NamedResults,
		ID: gatewayID, OwnIDs: true,
		Reasoning: "reasoning_content", Native: true,
		MaxTokens: "max_tokens", Temperature: true, StreamUsage: true,
		Choose: chooseAll,
	}
}

// final are the rows whose provider is strict about fields that it does not know:
// there a model's rules do not count.
var final = map[string]bool{OpenAI: true, Anthropic: true, Groq: true, Mistral: true, Cerebras: true, XAI: true, Gemini: true, Ollama: true}

// hosted is what the vendors' own services share: they take each other's ids as
// long as these are plain.
func hosted(r *Rules) {
	r.ID, r.OwnIDs = plainID, false
	r.On &^= NamedResults | Bridge
	r.Choose = 0
}

// strict is a service that refuses fields that it does not know.
func strict(r *Rules) {
	hosted(r)
	r.Reasoning, r.Native = "", false
}

// Who is held to a call of a tool: those whose pages say so for all of their models.
// DeepSeek, Kimi and Qwen refuse it while a model thinks, GLM always, and Ollama passes
// over it.
//
// Who holds a model to JSON, by their own pages on structured outputs and JSON mode
// (November 2026); a model that does not is told, like all others, and who refuses is
// asked again without.
var rows = map[string]func(*Rules){
	// Names `^[a-zA-Z0-9_-]{1,64}$` (openai/openai-agents-python#2204); ids of at most
	// 40 characters (agno-agi/agno#5382); "" beside calls is fine, null is what its
	// own answers have. The role developer need not be used: it takes system for it.
	OpenAI: func(r *Rules) {
		strict(r)
		r.On &^= Alternate
		r.Content = ContentNull
		r.MaxTokens = "max_completion_tokens"
		r.JSON, r.Choose = JSONSchema, chooseAll
	},
	// Each message of the assistant has reasoning_content as soon as there are tools
	// (https://api-docs.deepseek.com/guides/thinking_mode, earendil-works/pi#3636,
	// diegosouzapw/OmniRoute#3632); an empty one is refused by V4 Pro
	// (NousResearch/hermes-agent#17341), and so is content null beside it
	// (can1357/oh-my-pi#788). Why no placeholder that is always the same:
	// Lingtai-AI/lingtai-kernel#9. The names that refused the field, deepseek-chat and
	// deepseek-reasoner, ended in July 2026. tool_choice none is taken while thinking
	// (deepseek-ai/DeepSeek-V3#1376, tickernelz/opencode-mem#253). Two messages of one
	// side in a row: open-webui/open-webui#9266.
	DeepSeek: func(r *Rules) {
		hosted(r)
		r.Need = NeedAll
		r.JSON = JSONObject
	},
	// reasoning_content beside calls, and not a blank one (earendil-works/pi#4178,
	// QuantumNous/new-api#3121); no empty message of the assistant
	// (MoonshotAI/kimi-code#1985); its ids are functions.NAME:0.
	Kimi: func(r *Rules) {
		hosted(r)
		r.ID, r.Need = kimiID, NeedCalls
		r.JSON = JSONObject
	},
	// No stream_options; tool_choice auto only (vectorize-io/hindsight#4246); error
	// 1214 where the user does not speak first or an id comes twice
	// (MetaGLM/zhipuai-sdk-python-v4#14); reasoning comes back beside tools
	// (https://docs.bigmodel.cn/cn/guide/capabilities/thinking-mode).
	GLM: func(r *Rules) {
		hosted(r)
		r.On &^= ChoiceNone
		r.StreamUsage = false // its last chunk has the usage anyway
		r.JSON = JSONObject
	},
	// Results right behind their call (QwenLM/qwen-code#2360); the field content is
	// there beside calls (jd-opensource/joyagent-jdgenie#99); reasoning_content is
	// taken and dropped (QwenLM/qwen-code#5637). enable_thinking matters only without
	// a stream (Mintplex-Labs/anything-llm#3933).
	Qwen: func(r *Rules) {
		hosted(r)
		r.JSON = JSONObject
	},
	// "" and null beside calls are a missing content (lidge-jun/opencodex#795,
	// AstrBotDevs/AstrBot#6852); content is a text (RooCodeInc/Roo-Code#504).
	Doubao: func(r *Rules) {
		hosted(r)
		r.Content = ContentWords
	},
	// Error 2013 for a result without its call (MiniMax-AI/MiniMax-M2#76), arguments
	// that are no JSON (HKUDS/nanobot#2373), a declaration without parameters
	// (QwenLM/qwen-code#11905) and a second system message
	// (BigPizzaV3/CodexPlusPlus#267). Its thinking comes in tags and goes back so, or
	// as reasoning_details (https://novita.ai/docs/guides/llm-interleaved-thinking).
	MiniMax: func(r *Rules) {
		hosted(r)
		r.Reasoning, r.ThinkTags = "", true
	},
	SiliconFlow: hosted,
	// Blocks of blank text (NousResearch/hermes-agent#69517), ids `^[a-zA-Z0-9_-]+$`;
	// its newer models take no temperature. Only where it is asked in this protocol.
	Anthropic: func(r *Rules) {
		strict(r)
		r.Content, r.Temperature = ContentNull, false
		r.Choose = chooseAll
	},
	// A call comes right behind the user or a result, results are as many as calls
	// (google-gemini/gemini-cli#26486, #17208), no empty parts (vercel/ai#3775), a
	// signature on each first call (Gitlawb/openclaude#67,
	// https://ai.google.dev/gemini-api/docs/thought-signatures).
	Gemini: func(r *Rules) {
		hosted(r)
		r.On |= NamedResults
		r.Reasoning, r.Signature = "", SignatureGoogle
		r.JSON, r.Choose = JSONSchema, ChooseAny|ChooseOne
	},
	// Ids of nine letters and digits (anomalyco/opencode#1680); user never behind
	// tool (charmbracelet/crush#279, pipecat-ai/pipecat-flows#178); unknown fields
	// (charmbracelet/crush#1590, mistralai/platform-docs-public#7), an empty list of
	// tools (partITech/php-mistral#76); a last message of the assistant only as a
	// prefix (0xPlaygrounds/rig#1130).
	Mistral: func(r *Rules) {
		strict(r)
		r.ID = mistralID
		r.On |= Bridge | NamedResults
		r.StreamUsage = false // its last chunk has the usage anyway
		r.JSON, r.Choose = JSONSchema, chooseAll
		r.Images = 8
	},
	// "property … is unsupported" for unknown fields (janhq/jan#8136,
	// NousResearch/hermes-agent#11089).
	Groq: func(r *Rules) {
		strict(r)
		r.JSON, r.Choose = JSONObject, chooseAll // schemas with some of its models only
		r.Images, r.ImageBytes = 5, 3<<20-1      // a request of 4 MB
	},
	Cerebras: func(r *Rules) {
		strict(r)
		r.Choose = chooseAll
	},
	// Each message has content (AstrBotDevs/AstrBot#6447).
	XAI: func(r *Rules) {
		strict(r)
		r.Content = ContentNull
		r.JSON, r.Choose = JSONSchema, chooseAll
	},
	// It speaks for many: the strictest of them counts, and signatures travel in
	// reasoning_details (home-assistant/core#159812, LibreChat-AI/agents#37; without
	// one: RooCodeInc/Roo-Code src/api/providers/openrouter.ts).
	OpenRouter: func(r *Rules) {
		hosted(r)
		r.On |= Bridge
		r.Reasoning = "reasoning"
		r.JSON, r.Choose = JSONSchema, chooseAll
	},
	// content null: pydantic/pydantic-ai#5206; its field is reasoning
	// (ogx-ai/ogx#4715).
	Ollama: func(r *Rules) {
		r.ID, r.OwnIDs = plainID, false
		r.Reasoning = "reasoning"
		r.JSON, r.Choose = JSONSchema, 0
	},
	LMStudio: func(*Rules) {}, // what is known of it is in base
}

// models are what a model wants wherever it is served by somebody who takes
// fields that he does not know.
var models = []struct {
	name *regexp.Regexp
	set  func(*Rules)
}{
	// vLLM and others read the ids of Mistral's models as Mistral does.
	{regexp.MustCompile(`(?i)mi[sx]tral|ministral|magistral|devstral|codestral|pixtral`), func(r *Rules) {
		r.ID = mistralID
		r.On |= Bridge
	}},
	{regexp.MustCompile(`(?i)deepseek`), func(r *Rules) { r.Need = NeedAll; r.field() }},
	{regexp.MustCompile(`(?i)kimi|moonshot`), func(r *Rules) { r.ID, r.Need = kimiID, max(r.Need, NeedCalls); r.field() }},
	// Bedrock refuses blank text beside calls (vercel/ai#13466) and has no tool_choice
	// none (boto/boto3#4687); gateways hand both on.
	{regexp.MustCompile(`(?i)claude|anthropic|bedrock|\bnova\b`), func(r *Rules) {
		r.Content = ContentNull
		if r.Name != OpenRouter {
			r.On &^= ChoiceNone
		}
	}},
	// "System role not supported" (huggingface/chat-ui#1386); from Gemma 3 on the
	// template does the same as is done here.
	{regexp.MustCompile(`(?i)(^|[/.])(code)?gemma(-?[12](\.1)?)?([:@]|$|-it|-[0-9]+b)`), func(r *Rules) { r.On |= SystemInUser }},
	{regexp.MustCompile(`(?i)^~?google/gemini`), func(r *Rules) {
		if r.Name == OpenRouter {
			r.Signature = SignatureOpenRouter
		}
	}},
}

// field gives a provider the field that its model demands.
func (r *Rules) field() {
	if r.Reasoning == "" && !r.ThinkTags {
		r.Reasoning = "reasoning_content"
	}
}

var (
	// OpenAI's reasoning models take only their own temperature, and from the fifth
	// generation on all are such.
	openAIReasoning = regexp.MustCompile(`^(o[1-9]|gpt-[5-9])`)
	// Kimi fixes the temperature of these by mode, and refuses any other.
	kimiFixed = regexp.MustCompile(`^kimi-(k[2-9]|latest|thinking)`)
	// Models of Gemini from before there were signatures to miss.
	signless = regexp.MustCompile(`gemini-[12](\.|-)`)
)
