package model

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/anthropic"
	"github.com/loongclaw/loongclaw/agent/model/langchain"
	"github.com/loongclaw/loongclaw/agent/model/offline"
	"github.com/loongclaw/loongclaw/agent/model/providers"
)

// Info says which model answers, for GET /api/models and /api/config.
type Info struct {
	Provider string  `json:"provider"`
	Model    string  `json:"model"`
	Offline  bool    `json:"offline"`
	Models   []Entry `json:"models"`
}

// Entry is one model that may answer. The first is asked first.
type Entry struct {
	ID       string `json:"id"` // PROVIDER/NAME
	Provider string `json:"provider"`
	Name     string `json:"name"`
	Default  bool   `json:"default"`
	Context  int    `json:"context"` // its window, in tokens
	Vision   bool   `json:"vision"`  // it reads images

	// Prices are there where the table or the owner knows them.
	Prices *providers.Prices `json:"prices,omitempty"`
}

// New makes the model that the configuration asks for; without any provider
// that can be asked it is the offline model. httpClient may be nil.
func New(cfg Config, logger *slog.Logger, httpClient *http.Client) (loop.Model, Info) {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	var models []candidate
	var info Info
	add := func(m loop.Model, provider, name string) {
		if cfg.Wrap != nil {
			m = cfg.Wrap(provider, name, m)
		}
		info.Models = append(info.Models, Entry{
			ID: provider + "/" + name, Provider: provider, Name: name, Default: len(models) == 0,
			Context: cfg.context(provider, name), Vision: cfg.vision(provider, name), Prices: cfg.prices(provider, name, len(models) == 0),
		})
		models = append(models, candidate{provider + "/" + name, m})
	}
	for _, name := range cfg.chosen() {
		if name == Offline {
			add(offlineModel(cfg), Offline, offline.Name)
			continue
		}
		m, full, err := cfg.adapter(name, logger, httpClient)
		if err != nil {
			// Check has said so to whoever started this.
			logger.Error("a provider cannot be used", "provider", name, "error", err)
			continue
		}
		add(m, name, strings.TrimPrefix(full, name+"/"))
	}
	if len(models) == 0 {
		add(offlineModel(cfg), Offline, offline.Name)
	}
	first := info.Models[0]
	info.Provider, info.Model, info.Offline = first.Provider, first.Name, first.Provider == Offline
	if len(models) == 1 {
		return models[0].Model, info
	}
	return &failover{models: models, log: logger}, info
}

// context is a model's window: what the owner says, else what the table knows of
// the provider's own model, else a careful guess.
func (c *Config) context(provider, name string) int {
	spec, known := providers.Find(provider)
	switch {
	case c.Context > 0:
		return c.Context
	case known && (spec.Model == name || provider == Offline):
		return spec.Context
	case provider == langchain.Anthropic && anthropic.Window(name) > 0:
		return anthropic.Window(name)
	}
	return providers.DefaultContext
}

// vision reports whether a model reads images: what the owner says, else what its
// name says, else no.
func (c *Config) vision(provider, name string) bool {
	spec, known := providers.Find(provider)
	switch {
	case provider == Offline:
		return false
	case c.Vision == VisionTrue || c.Vision == VisionFalse:
		return c.Vision == VisionTrue
	case known && spec.Model == name && c.provider(provider).URL == "":
		return spec.Vision
	}
	return providers.Sees(name)
}

// prices are what the owner says of the model that is asked first, else what the
// table knows of a provider's own model where it is asked at the provider's own
// address. Another address may be anybody's, with prices of its own.
func (c *Config) prices(provider, name string, isFirst bool) *providers.Prices {
	spec, known := providers.Find(provider)
	switch {
	case provider == Offline:
		return nil
	case isFirst && c.Prices != nil:
		return c.Prices
	case known && spec.Model == name && c.provider(provider).URL == "":
		return spec.Prices
	}
	return nil
}

// Window is the smallest window of the models that may answer, in tokens.
func (i *Info) Window() int {
	least := i.Models[0].Context
	for _, m := range i.Models {
		least = min(least, m.Context)
	}
	return least
}

// Sees reports whether any of the models reads images.
func (i *Info) Sees() bool {
	return slices.ContainsFunc(i.Models, func(e Entry) bool { return e.Vision })
}

func offlineModel(cfg Config) loop.Model {
	return offline.New(offline.Config{Delay: cfg.OfflineDelay})
}

// adapter is what speaks to one provider, and the name of its model.
func (c *Config) adapter(name string, logger *slog.Logger, httpClient *http.Client) (loop.Model, string, error) {
	if name == langchain.Anthropic {
		return c.anthropic(logger, httpClient)
	}
	lc := c.langchain(name)
	lc.Log, lc.Client = logger, httpClient
	m, err := langchain.New(lc)
	if err != nil {
		return nil, "", err
	}
	return m, m.Name(), nil
}

// langchain is the configuration of one provider.
func (c *Config) langchain(name string) langchain.Config {
	p := c.provider(name)
	out := langchain.Config{
		Provider: name, Key: p.Key, URL: p.URL, Model: p.Model,
		Temperature: c.Temperature, MaxTokens: c.MaxTokens, Timeout: c.Timeout,
	}
	model := p.Model
	if known, ok := langchain.Known(name); ok && model == "" {
		model = known.Model
	}
	out.Vision = c.vision(name, model)
	if c.proxied(name) {
		out.Upstream = p.URL
		if known, ok := langchain.Known(name); ok && p.URL == "" {
			out.Upstream = known.URL
		}
		out.URL, out.Key = strings.TrimRight(c.EgressURL, "/")+"/"+name, ""
	}
	return out
}
