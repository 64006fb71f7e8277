package providers

import (
	_ "embed" // the table
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Offline is the provider that needs no address: the model without a key.
const Offline = "offline"

// DefaultContext is the window of a model that no row knows, in tokens.
const DefaultContext = 32768

// Protocol is how a provider is spoken to.
type Protocol string

// The protocols.
const (
	OpenAI    Protocol = "openai"    // POST …/chat/completions
	Anthropic Protocol = "anthropic" // POST …/messages
	None      Protocol = "offline"   // nobody is asked
)

// Spec is one row.
type Spec struct {
	Name     string   `json:"name"`
	Aliases  []string `json:"aliases,omitempty"`
	Title    string   `json:"title"`  // for people
	Keys     []string `json:"keys"`   // variables of its key; the first that is set counts
	URLs     []string `json:"urls"`   // variables of its address
	Models   []string `json:"models"` // variables of its model
	Base     string   `json:"base"`   // its address where no variable names one
	Model    string   `json:"model"`  // its model where no variable names one
	Context  int      `json:"context"`
	Vision   bool     `json:"vision"`           // the default model reads images
	Prices   *Prices  `json:"prices,omitempty"` // of the default model; nil where nobody has looked them up
	Protocol Protocol `json:"protocol"`
	Bare     string   `json:"bare,omitempty"` // the path that people leave out of its address
}

// Prices are what a provider takes for a million tokens.
type Prices struct {
	Currency string   `json:"currency"` // by its three letters
	Input    float64  `json:"input"`
	Cached   *float64 `json:"cached,omitempty"` // of the input, what it had kept; nil where that is not known
	Output   float64  `json:"output"`
	Date     string   `json:"date,omitempty"`   // when they were looked up, and
	Source   string   `json:"source,omitempty"` // where; both are empty for what the owner says
}

//go:embed providers.json
var table []byte

var all = func() []Spec {
	var specs []Spec
	if err := json.Unmarshal(table, &specs); err != nil {
		panic(fmt.Sprintf("providers: the table cannot be read: %v", err)) // a test reads it
	}
	return specs
}()

// All returns the rows in the order in which providers are looked at when none is
// named.
func All() []Spec { return slices.Clone(all) }

// Find returns the row of a provider, by its name or an alias.
func Find(name string) (Spec, bool) {
	i := slices.IndexFunc(all, func(s Spec) bool { return s.Name == name || slices.Contains(s.Aliases, name) })
	if i < 0 {
		return Spec{}, false
	}
	return all[i], true
}

// Names lists all providers that are asked over a network.
func Names() []string {
	var names []string
	for _, s := range all {
		if s.Protocol != None {
			names = append(names, s.Name)
		}
	}
	return names
}

// Variables lists every variable of the table.
func Variables() []string {
	var names []string
	for _, s := range all {
		names = slices.Concat(names, s.Keys, s.URLs, s.Models)
	}
	return names
}

// Key is the variable of the key that a hint names.
func (s *Spec) Key() string { return first(s.Keys) }

// URL is the variable of the address that a hint names.
func (s *Spec) URL() string { return first(s.URLs) }

// ModelVariable is the variable of the model that a hint names.
func (s *Spec) ModelVariable() string { return first(s.Models) }

func first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

// Setting is what the environment says of one provider. What is empty has its
// default in the table.
type Setting struct{ Key, URL, Model string }

// Read finds the settings of a provider. lookup returns a variable's value, empty
// where it is not set.
func (s *Spec) Read(lookup func(name string) string) Setting {
	find := func(names []string) string {
		for _, name := range names {
			if v := strings.TrimSpace(lookup(name)); v != "" {
				return v
			}
		}
		return ""
	}
	return Setting{Key: find(s.Keys), URL: find(s.URLs), Model: find(s.Models)}
}
