package model

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/langchain"
	"github.com/loongclaw/loongclaw/agent/model/providers"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Offline is the name of the provider that needs none.
const Offline = providers.Offline

// Provider is what is configured for one provider; what is empty has a default.
// The address may have either form: the folder, or the full path of the chat.
type Provider = providers.Setting

// Vision reports whether models read images.
type Vision string

// What may be said of that. By itself it goes by the model's name; a model that
// nobody knows does not.
const (
	VisionAuto  Vision = "auto"
	VisionTrue  Vision = "true"
	VisionFalse Vision = "false"
)

// Config says which models may answer.
type Config struct {
	// Providers are named in the order in which they are to be asked; the next
	// one is asked when one fails before its first token. Empty: the first
	// provider that has a key.
	Providers []string

	// Settings are by the provider's name.
	Settings map[string]Provider

	// EgressURL is the egress proxy at the edge: EgressURL/PROVIDER speaks for each of
	// EgressProviders, and adds its key there.
	EgressURL       string
	EgressProviders []string

	// AnthropicProtocol is the protocol that anthropic is spoken to in, one of the
	// Protocol constants; AnthropicThinking is how its models are told to think.
	AnthropicProtocol string
	AnthropicThinking string

	Temperature *float64          // nil is 0.7
	MaxTokens   int               // of one answer, with its reasoning; 0 is the provider's own limit
	Context     int               // the model's window in tokens; 0 is what is known of it
	Vision      Vision            // whether the models read images
	Prices      *providers.Prices // of the model that is asked first; nil is what is known of it
	Timeout     time.Duration     // of a provider's silence; 0 is 60 s

	// Wrap puts something around each model that may answer; nil is nothing.
	Wrap func(provider, name string, m loop.Model) loop.Model

	OfflineDelay time.Duration // between the pieces of an offline answer; 0 is a few milliseconds, less than 0 none
}

func (c *Config) provider(name string) Provider { return c.Settings[name] }

// Check gives every fault of the configuration, each with its fix, and never
// with a key.
func (c *Config) Check() []error {
	var faults []error
	bad := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	for _, name := range normal(c.Providers) {
		if name == Offline {
			continue
		}
		if spec, known := providers.Find(name); !known {
			bad("LLM_PROVIDER names %q, which is unknown: use %s or %s", name, strings.Join(providers.Names(), ", "), Offline)
		} else if !c.usable(name, true) {
			bad("LLM_PROVIDER names %s, but there is no key: set %s", name, spec.Key())
		}
	}
	for _, name := range normal(c.EgressProviders) {
		if !slices.Contains(providers.Names(), name) {
			bad("LLM_DOOR_PROVIDERS names %q, which is unknown: use %s", name, strings.Join(providers.Names(), ", "))
		}
	}
	for _, name := range providers.Names() {
		if p := c.provider(name); p.URL != "" || name == langchain.Anthropic {
			if _, _, err := c.adapter(name, nil, nil); err != nil {
				f := fault.From(err)
				bad("%s: %s", f.Message, f.Hint)
			}
		}
	}
	if p := c.AnthropicProtocol; p != "" && p != ProtocolMessages && p != ProtocolOpenAI {
		bad("ANTHROPIC_PROTOCOL is neither %s nor %s: leave it out to let the address decide", ProtocolMessages, ProtocolOpenAI)
	}
	if v := c.Vision; v != "" && v != VisionAuto && v != VisionTrue && v != VisionFalse {
		bad("LLM_VISION is none of auto, true and false: leave it out to go by the model's name")
	}
	if u, err := url.Parse(c.EgressURL); c.EgressURL != "" && (err != nil || u.Host == "") {
		bad("LLM_DOOR_URL is no address: set it to something like http://llm.internal")
	}
	return faults
}

// proxied reports whether the egress proxy speaks for a provider.
func (c *Config) proxied(name string) bool {
	return c.EgressURL != "" && slices.Contains(normal(c.EgressProviders), name)
}

// usable reports whether a provider can be asked. A named one needs no key where
// it has an address of its own: many servers at home want none.
func (c *Config) usable(name string, named bool) bool {
	p := c.provider(name)
	switch {
	case c.proxied(name):
		return true
	case name == langchain.Ollama:
		return named || p.URL != "" || p.Key != ""
	case named && name == langchain.OpenAI && p.URL != "":
		return true
	}
	return p.Key != ""
}

// chosen are the providers to ask, in order.
func (c *Config) chosen() []string {
	if named := normal(c.Providers); len(named) > 0 {
		return slices.DeleteFunc(named, func(n string) bool {
			return n != Offline && (!slices.Contains(providers.Names(), n) || !c.usable(n, true))
		})
	}
	candidates := providers.Names()
	if c.EgressURL != "" {
		// The egress proxy's list has the owner's order.
		candidates = append(normal(c.EgressProviders), candidates...)
	}
	for _, name := range candidates {
		if slices.Contains(providers.Names(), name) && c.usable(name, false) {
			return []string{name}
		}
	}
	return nil
}

// normal cleans a list of names: case, spaces, empty and double ones.
func normal(names []string) []string {
	var out []string
	for _, n := range names {
		for part := range strings.SplitSeq(n, ",") {
			part = strings.ToLower(strings.TrimSpace(part))
			if spec, known := providers.Find(part); known {
				part = spec.Name
			}
			if part != "" && !slices.Contains(out, part) {
				out = append(out, part)
			}
		}
	}
	return out
}
