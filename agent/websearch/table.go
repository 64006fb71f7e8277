package websearch

import (
	_ "embed" // the table
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/loongclaw/loongclaw/agent/outbound"
)

// Auth is how a provider is shown its key.
type Auth string

// The ways.
const (
	AuthNone   Auth = "none"
	AuthBearer Auth = "bearer" // Authorization: Bearer KEY; any other is the header's own name
)

// Spec is one row of the table.
type Spec struct {
	Name     string   `json:"name"`
	Title    string   `json:"title"` // for people
	Keys     []string `json:"keys"`  // variables of its key; the first that is set counts
	URLs     []string `json:"urls"`  // variables of its address
	Base     string   `json:"base"`  // its address where no variable names one
	Bare     string   `json:"bare"`  // the folder that people leave out of its address
	Path     string   `json:"path"`  // of the search, below the address
	Method   string   `json:"method"`
	Auth     Auth     `json:"auth"`
	MaxQuery int      `json:"maxQuery"`           // characters
	MaxWords int      `json:"maxWords,omitempty"` // 0 where it counts none
}

//go:embed providers.json
var table []byte

var all = func() []Spec {
	var specs []Spec
	if err := json.Unmarshal(table, &specs); err != nil {
		panic(fmt.Sprintf("websearch: the table cannot be read: %v", err)) // a test reads it
	}
	return specs
}()

// Off is the name by which an owner has no search although a key is there.
const Off = "none"

// All returns the rows in the order in which providers are looked at when none is
// named.
func All() []Spec { return slices.Clone(all) }

// Names lists all providers.
func Names() []string {
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = s.Name
	}
	return names
}

// Settings are a provider that was set up.
type Settings struct {
	Spec
	Key     string
	URL     string // of its search; "" with Egress
	Private string // HOST:PORT that the owner named, which may be private; else ""
	Egress  string // the egress proxy that adds the key; "" where it is asked directly
	Named   bool   // the owner chose it by name
}

// Choose returns the provider that the variables set up: the named one, else the
// first that has a key or, where it needs none, an address. It returns nil where
// there is none, or when the name is Off. Behind an egress proxy the keys are there,
// and so only a name counts here.
func Choose(name string, getenv func(string) string, egress string) (*Settings, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	switch {
	case name == Off, name == "" && egress != "":
		return nil, nil
	case name != "":
		at := slices.IndexFunc(all, func(s Spec) bool { return s.Name == name })
		if at < 0 {
			return nil, fmt.Errorf("WEB_SEARCH_PROVIDER is not one of %s, %s", strings.Join(Names(), ", "), Off)
		}
		if egress != "" {
			return &Settings{Spec: all[at], Egress: strings.TrimRight(egress, "/"), Named: true}, nil
		}
		return all[at].read(getenv, true)
	}
	for _, s := range all {
		if s.ready(getenv) {
			return s.read(getenv, false)
		}
	}
	return nil, nil
}

// ready reports whether the variables have what the provider needs.
func (s Spec) ready(getenv func(string) string) bool {
	if s.Auth == AuthNone {
		return first(getenv, s.URLs) != ""
	}
	return first(getenv, s.Keys) != ""
}

func (s Spec) read(getenv func(string) string, named bool) (*Settings, error) {
	if !s.ready(getenv) {
		return nil, fmt.Errorf("WEB_SEARCH_PROVIDER is %s, but %s is not set", s.Name, slices.Concat(s.Keys, s.URLs)[0])
	}
	out := &Settings{Spec: s, Key: first(getenv, s.Keys), Named: named}
	own := first(getenv, s.URLs)
	base := own
	if own == "" {
		base = s.Base
	}
	u, err := s.endpoint(base)
	if err != nil {
		return nil, fmt.Errorf("%s %w", s.URLs[0], err) // without the address: it may hold a password
	}
	if own != "" {
		out.Private = outbound.HostPort(u)
	}
	out.URL = u.String()
	return out, nil
}

// chat is what addresses of models end in; GLM's key and address are those of its models.
const chat = "/chat/completions"

// endpoint returns the address of the search out of any form of it: the full one,
// the folder, or the bare host.
func (s Spec) endpoint(base string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(base))
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("is no address: write it as https://host")
	}
	if u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil, errors.New("has a query or a fragment: leave out what stands behind ? or #")
	}
	path := strings.TrimRight(u.Path, "/")
	path = strings.TrimSuffix(path, chat)
	if path == "" {
		path = s.Bare
	}
	if !strings.HasSuffix(path, s.Path) {
		path += s.Path
	}
	u.Path, u.RawPath = path, ""
	return u, nil
}

// Secrets are what of the settings no log may show.
func (s *Settings) Secrets() []string {
	if s == nil {
		return nil
	}
	secrets := []string{s.Key}
	if u, err := url.Parse(s.URL); err == nil && u.User != nil {
		if password, ok := u.User.Password(); ok {
			secrets = append(secrets, password)
		}
	}
	return secrets
}

func first(getenv func(string) string, names []string) string {
	for _, n := range names {
		if v := strings.TrimSpace(getenv(n)); v != "" {
			return v
		}
	}
	return ""
}
