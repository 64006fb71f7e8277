package mcp

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/loongclaw/loongclaw/agent/outbound"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/plain"
)

// Entry is one server as its configuration has it.
type Entry struct {
	URL     string            `json:"url,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Command string            `json:"command,omitempty"`
	Args    []string          `json:"args,omitempty"`
	Env     map[string]string `json:"env,omitempty"`
	Cwd     string            `json:"cwd,omitempty"`
	Allow   []string          `json:"allow,omitempty"` // tools that run unasked; of the instance's servers only
	OAuth   *Client           `json:"oauth,omitempty"` // likewise
}

// Client is how the owner has registered the agent with a server's authorization
// server, where that takes no registration by itself.
type Client struct {
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret,omitempty"`
}

// file is a configuration as it is written.
type file struct {
	Servers map[string]Entry `json:"mcpServers"`
}

// ParseFile reads a configuration. It is JSON of the form that other clients of
// the protocol have, so unknown fields of an entry are passed over.
func ParseFile(b []byte) (map[string]Entry, error) {
	var f file
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("the configuration of MCP servers is not JSON of the form {\"mcpServers\":{\"NAME\":{\"url\":\"https://…\"}}}: %w", err)
	}
	if name, twice := tools.Doubled(b); twice { // the last one would count, and the first be read
		return nil, fmt.Errorf("in the configuration of MCP servers %.64q stands twice in one object: keep one of the two", name)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Servers)) {
		if err := CheckName(name); err != nil {
			return nil, fmt.Errorf("the MCP server %.64q: %w", name, err)
		}
	}
	return f.Servers, nil
}

// The bounds of a configuration.
const (
	maxURL     = 2048
	maxHost    = 300 // bytes of it that are shown
	maxHeaders = 32
	maxHeader  = 8 << 10
)

var (
	serverName = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)
	headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$")
	variable   = regexp.MustCompile(`\$\{([^}]*)\}`)
	ownName    = regexp.MustCompile(`^MCP_[A-Z0-9_]+$`)
)

// CheckName refuses what cannot be the name of a server.
func CheckName(name string) error {
	if serverName.MatchString(name) {
		return nil
	}
	return fault.New(fault.CodeInvalidRequest, "this is not the name of an MCP server", "use 1 to 32 of the characters a-z, 0-9, _ and -")
}

// kind is how a server is reached.
type kind string

const (
	overHTTP  kind = "http"
	overStdio kind = "stdio"
)

func (e Entry) kind() kind {
	if e.Command != "" {
		return overStdio
	}
	return overHTTP
}

// identity tells one server from another that takes its name: what was approved of
// one does not count for the other. Secrets are no part of it, so that a changed
// token costs no approval.
func (e Entry) identity() string {
	b, err := json.Marshal([]any{e.URL, e.Command, e.Args, e.Cwd})
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// host is where a server is reached over HTTP, as people tell one from another.
func (e Entry) host() string {
	u, err := url.Parse(e.URL)
	if err != nil || e.Command != "" {
		return ""
	}
	return plain.Line(clip(u.Host, maxHost))
}

// check refuses an entry that cannot be right, with what to do.
func (e Entry) check(private map[string]bool) error {
	if (e.URL == "") == (e.Command == "") {
		return fault.New(fault.CodeInvalidRequest, "an MCP server has either a url or a command", "give one of the two")
	}
	if e.OAuth != nil && (e.Command != "" || e.OAuth.ClientID == "") {
		return fault.New(fault.CodeInvalidRequest, "oauth is for a url, and has a clientId", "give the clientId that the authorization server knows, or leave oauth out")
	}
	if e.Command != "" {
		return nil
	}
	if _, err := serverURL(e.URL, private); err != nil {
		return err
	}
	if len(e.Headers) > maxHeaders {
		return fault.New(fault.CodeInvalidRequest, fmt.Sprintf("an MCP server has more than %d headers", maxHeaders), "send fewer")
	}
	named := map[string]bool{}
	for name, value := range e.Headers {
		same := http.CanonicalHeaderKey(name)
		if named[same] { // which of the two would be sent is not known
			return fault.New(fault.CodeInvalidRequest, fmt.Sprintf("the header %.64q is there twice, in capitals and small letters", same), "keep one of the two")
		}
		named[same] = true
		if !headerName.MatchString(name) || reservedHeader(name) {
			return fault.New(fault.CodeInvalidRequest, fmt.Sprintf("the header %.64q cannot be set", name), "name one that the server asks for, such as Authorization")
		}
		if len(value) > maxHeader || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return fault.New(fault.CodeInvalidRequest, fmt.Sprintf("the value of the header %.64q is too long or has line breaks in it", name), "send the value as the server gave it")
		}
	}
	return nil
}

// reservedHeader reports whether a header belongs to the transport or the protocol.
func reservedHeader(name string) bool {
	name = strings.ToLower(name)
	return strings.HasPrefix(name, "mcp-") || slices.Contains([]string{"host", "content-length", "content-type", "transfer-encoding", "connection", "upgrade", "te", "trailer", "accept", "proxy-authorization", "proxy-connection"}, name)
}

// serverURL reads the address of a server. Over plain HTTP, and on addresses that
// are not public, only what the owner has listed is reached.
func serverURL(text string, private map[string]bool) (*url.URL, error) {
	bad := func(what, next string) error { return fault.New(fault.CodeInvalidRequest, what, next) }
	if len(text) > maxURL {
		return nil, bad("the server's address is longer than 2048 bytes", "give a shorter one")
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Opaque != "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, bad("that is not the address of an MCP server", "write it as https://host/mcp")
	}
	if u.User != nil {
		return nil, bad("an address with a user name or password in it is not taken", "put what the server asks for into a header")
	}
	u.Fragment = ""
	if private[outbound.HostPort(u)] {
		return u, nil
	}
	if u.Scheme != "https" {
		return nil, bad("only https addresses are reached", "use https, or have the owner list the host and port in MCP_PRIVATE_HOSTS")
	}
	if err := tools.CheckPublicHost(u.Hostname()); err != nil {
		return nil, bad(err.Error(), "use a host of the public internet, or have the owner list the host and port in MCP_PRIVATE_HOSTS")
	}
	return u, nil
}

// expand fills in the values of ${MCP_…} in an entry of the instance's. Only names
// that begin so: whoever may write the file may not read the agent's other secrets.
func (e Entry) expand(lookup func(string) (string, bool)) (Entry, error) {
	var err error
	fill := func(in map[string]string) map[string]string {
		out := make(map[string]string, len(in))
		for name, value := range in {
			out[name] = variable.ReplaceAllStringFunc(value, func(v string) string {
				key := v[2 : len(v)-1]
				if !ownName.MatchString(key) {
					err = fault.New(fault.CodeInvalidRequest, fmt.Sprintf("%.80q is not taken from the environment", key), "only variables whose names begin with MCP_ are: set one, and write ${MCP_NAME}")
					return ""
				}
				got, ok := lookup(key)
				if !ok || got == "" {
					err = fault.New(fault.CodeInvalidRequest, key+" is not set", "set it in the agent's environment and start again")
				}
				return got
			})
		}
		return out
	}
	e.Headers, e.Env = fill(e.Headers), fill(e.Env)
	if e.OAuth != nil {
		known := fill(map[string]string{"id": e.OAuth.ClientID, "secret": e.OAuth.ClientSecret})
		e.OAuth = &Client{known["id"], known["secret"]}
	}
	return e, err
}

// PrivateHosts reads MCP_PRIVATE_HOSTS.
func PrivateHosts(list []string) (map[string]bool, error) {
	out := map[string]bool{}
	for _, text := range list {
		u, err := url.Parse("http://" + text)
		if err != nil || u.Port() == "" || u.Host != text || u.Hostname() == "" {
			return nil, fmt.Errorf("MCP_PRIVATE_HOSTS: %.80q is not HOST:PORT", text)
		}
		out[outbound.HostPort(u)] = true
	}
	return out, nil
}
