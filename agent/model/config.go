package model

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/langchain"
)

// Offline is the name of the provider that needs none.
const Offline = "offline"

// order is in which providers are looked at when none is named.
var order = []string{
	langchain.GLM, langchain.DeepSeek, langchain.Kimi, langchain.OpenAI, langchain.Anthropic, langchain.Ollama,
}

// Provider is what is configured for one provider; what is empty has a default.
type Provider struct {
	Key   string
	URL   string // either form: the folder, or the full path of the chat
	Model string
}

// Config says which models may answer.
type Config struct {
	// Providers are named in the order in which they are to be asked; the next
	// one is asked when one fails before its first token. Empty: the first
	// provider that has a key.
	Providers []string

	GLM       Provider
	DeepSeek  Provider
	Kimi      Provider
	OpenAI    Provider
	Anthropic Provider
	Ollama    Provider

	// DoorURL is the door at the edge: DoorURL/PROVIDER speaks for each of
	// DoorProviders, and adds its key there.
	DoorURL       string
	DoorProviders []string

	Temperature *float64      // nil is 0.7
	MaxTokens   int           // 0 is 2000
	Timeout     time.Duration // of a provider's silence; 0 is 60 s

	// Wrap puts something around each model that may answer; nil is nothing.
	Wrap func(provider, name string, m loop.Model) loop.Model

	OfflineDelay time.Duration // between the pieces of an offline answer; 0 is a few milliseconds, less than 0 none
}

func (c *Config) provider(name string) Provider {
	switch name {
	case langchain.GLM:
		return c.GLM
	case langchain.DeepSeek:
		return c.DeepSeek
	case langchain.Kimi:
		return c.Kimi
	case langchain.OpenAI:
		return c.OpenAI
	case langchain.Anthropic:
		return c.Anthropic
	case langchain.Ollama:
		return c.Ollama
	}
	return Provider{}
}

// Check gives every fault of the configuration, each with its fix, and never
// with a key.
func (c *Config) Check() []error {
	var faults []error
	bad := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	for _, name := range normal(c.Providers) {
		if name == Offline {
			continue
		}
		if !slices.Contains(order, name) {
			bad("LLM_PROVIDER names %q, which is unknown: use %s or %s", name, strings.Join(order, ", "), Offline)
		} else if !c.usable(name, true) {
			bad("LLM_PROVIDER names %s, but there is no key: set %s_API_KEY", name, strings.ToUpper(name))
		}
	}
	for _, name := range normal(c.DoorProviders) {
		if !slices.Contains(order, name) {
			bad("LLM_DOOR_PROVIDERS names %q, which is unknown: use %s", name, strings.Join(order, ", "))
		}
	}
	for _, name := range order {
		if p := c.provider(name); p.URL != "" {
			if _, err := langchain.New(langchain.Config{Provider: name, URL: p.URL}); err != nil {
				faults = append(faults, err)
			}
		}
	}
	if u, err := url.Parse(c.DoorURL); c.DoorURL != "" && (err != nil || u.Host == "") {
		bad("LLM_DOOR_URL is no address: set it to something like http://llm.internal")
	}
	return faults
}

// behindDoor says whether the door speaks for a provider.
func (c *Config) behindDoor(name string) bool {
	return c.DoorURL != "" && slices.Contains(normal(c.DoorProviders), name)
}

// usable says whether a provider can be asked. A named one needs no key where
// it has an address of its own: many servers at home want none.
func (c *Config) usable(name string, named bool) bool {
	p := c.provider(name)
	switch {
	case c.behindDoor(name):
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
			return n != Offline && (!slices.Contains(order, n) || !c.usable(n, true))
		})
	}
	candidates := order
	if c.DoorURL != "" {
		// The door's list has the owner's order.
		candidates = append(normal(c.DoorProviders), order...)
	}
	for _, name := range candidates {
		if slices.Contains(order, name) && c.usable(name, false) {
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
			if part == "moonshot" {
				part = langchain.Kimi // the company's name for it
			}
			if part != "" && !slices.Contains(out, part) {
				out = append(out, part)
			}
		}
	}
	return out
}
