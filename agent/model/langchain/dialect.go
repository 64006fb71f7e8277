package langchain

import (
	"net/url"
	"strings"

	"github.com/loongclaw/loongclaw/agent/model/dialect"
	"github.com/loongclaw/loongclaw/agent/model/providers"
)

// The providers that we know.
const (
	GLM       = dialect.GLM
	DeepSeek  = dialect.DeepSeek
	Kimi      = dialect.Kimi
	OpenAI    = dialect.OpenAI
	Anthropic = dialect.Anthropic
	Ollama    = dialect.Ollama
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
