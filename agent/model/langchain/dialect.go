package langchain

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/loongclaw/loongclaw/agent/model/providers"
)

// The providers that we know.
const (
	GLM       = "glm"
	DeepSeek  = "deepseek"
	Kimi      = "kimi"
	OpenAI    = "openai"
	Anthropic = "anthropic"
	Ollama    = "ollama"
)

// Defaults are a provider's address and model, where none is configured.
type Defaults struct {
	URL   string
	Model string
}

// Known returns the defaults of a provider that speaks this protocol.
func Known(provider string) (Defaults, bool) {
	spec, ok := providers.Find(provider)
	return Defaults{spec.Base, spec.Model}, ok && spec.Protocol != providers.None
}

// dialect is how a provider wants a request that OpenAI would take otherwise.
type dialect struct {
	maxTokens     string // the field for the limit
	temperature   bool   // takes one
	streamOptions bool   // takes stream_options.include_usage
	reasoning     bool   // wants its reasoning back in the history
	emptyReason   bool   // wants the field beside tool calls even where it is empty
	nullContent   bool   // wants null, not "", beside tool calls
	plainIDs      bool   // refuses call ids other than letters, digits, _ and -
}

var (
	// OpenAI's reasoning models take only their own temperature.
	openAIReasoning = regexp.MustCompile(`^(o[1-9]|gpt-5)`)
	// Kimi fixes the temperature of these by mode, and refuses any other.
	kimiFixed = regexp.MustCompile(`^kimi-(k[2-9]|latest|thinking)`)
)

func dialectOf(provider, model string, at *url.URL) dialect {
	d := dialect{maxTokens: "max_tokens", temperature: true, streamOptions: true, reasoning: true}
	switch provider {
	case GLM:
		d.streamOptions = false // refuses it; its last chunk has the usage anyway
	case DeepSeek:
		d.emptyReason = true
	case Kimi:
		d.emptyReason = true
		d.temperature = !kimiFixed.MatchString(model)
	case Anthropic:
		// Its newer models refuse a temperature; the endpoint ignores reasoning.
		d.temperature, d.reasoning = false, false
		d.nullContent, d.plainIDs = true, true
	case OpenAI:
		if at.Hostname() == "api.openai.com" {
			// Only the real one: servers that imitate it know max_tokens, and
			// may be reasoning models that want their reasoning back.
			d.maxTokens, d.reasoning, d.nullContent = "max_completion_tokens", false, true
			d.temperature = !openAIReasoning.MatchString(model)
		}
	}
	return d
}

const chatPath = "/chat/completions"

// endpoint makes the address of the chat out of either form of base URL, the
// folder ("…/v4") or the full path ("…/v4/chat/completions").
func endpoint(provider, base string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(base))
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, badURL(provider)
	}
	u.Fragment = ""
	path := strings.TrimRight(u.Path, "/")
	if provider == Anthropic {
		path = strings.TrimSuffix(path, "/messages") // the address of its own protocol
	}
	path = strings.TrimSuffix(path, chatPath)
	if path == "" && (provider == Ollama || provider == Anthropic) {
		path = "/v1" // people know these by their bare address
	}
	u.Path, u.RawPath = path+chatPath, ""
	return u, nil
}
