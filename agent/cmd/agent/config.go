package main

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/kelseyhightower/envconfig"

	"github.com/loongclaw/loongclaw/agent/egress"
	"github.com/loongclaw/loongclaw/agent/model"
	"github.com/loongclaw/loongclaw/agent/model/providers"
	"github.com/loongclaw/loongclaw/agent/tools/mcp"
	"github.com/loongclaw/loongclaw/agent/websearch"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

// environment is every variable that the agent reads; docs/CONFIGURATION.md has
// a row for each. Numbers and times are text here: envconfig stops at the first
// value that it cannot convert, and whoever sets up an agent wants to see all
// faults at once.
type environment struct {
	Listen     string `envconfig:"AGENT_LISTEN_ADDR" default:"127.0.0.1:8788"`
	Instance   string `envconfig:"AGENT_INSTANCE"`
	PublicKeys string `envconfig:"PASS_PUBLIC_KEYS"`
	Store      string `envconfig:"STORE"`
	MaxRuns    string `envconfig:"MAX_CONCURRENT_RUNS" default:"4"`

	R2Account   string `envconfig:"R2_ACCOUNT_ID"`
	R2AccessKey string `envconfig:"R2_ACCESS_KEY_ID"`
	R2SecretKey string `envconfig:"R2_SECRET_ACCESS_KEY"`
	R2Endpoint  string `envconfig:"R2_ENDPOINT"`
	R2Region    string `envconfig:"R2_REGION" default:"us-east-1"`

	Workspace    string `envconfig:"WORKSPACE_DIR" default:"./workspace"`
	ShellTimeout string `envconfig:"SHELL_TIMEOUT" default:"30000"`
	WebTimeout   string `envconfig:"WEB_TIMEOUT" default:"30000"`
	WebHosts     list   `envconfig:"WEB_ALLOWED_HOSTS"`
	AutoApprove  list   `envconfig:"TOOLS_AUTO_APPROVE"`
	WebSearch    string `envconfig:"WEB_SEARCH_PROVIDER"`

	MCPConfig  string `envconfig:"MCP_CONFIG"`
	MCPTimeout string `envconfig:"MCP_TIMEOUT" default:"30s"`
	MCPPrivate list   `envconfig:"MCP_PRIVATE_HOSTS"`

	Admin  string `envconfig:"AGENT_ADMIN_LISTEN_ADDR"`
	Traces string `envconfig:"OTEL_EXPORTER_OTLP_ENDPOINT"`

	LogLevel  string `envconfig:"LOG_LEVEL" default:"info"`
	LogFormat string `envconfig:"LOG_FORMAT" default:"json"`
	LogFile   string `envconfig:"LOG_FILE"`

	Provider        list   `envconfig:"LLM_PROVIDER"`
	Timeout         string `envconfig:"LLM_TIMEOUT" default:"60000"`
	MaxTokens       string `envconfig:"LLM_MAX_TOKENS"`
	ContextTokens   string `envconfig:"LLM_CONTEXT_TOKENS"`
	Vision          string `envconfig:"LLM_VISION" default:"auto"`
	Prices          string `envconfig:"LLM_PRICES"`
	Protocol        string `envconfig:"ANTHROPIC_PROTOCOL"`
	Thinking        string `envconfig:"ANTHROPIC_THINKING"`
	EgressURL       string `envconfig:"LLM_DOOR_URL"`
	EgressProviders list   `envconfig:"LLM_DOOR_PROVIDERS"`
	WebEgress       string `envconfig:"WEB_DOOR_URL"`
	MCPEgress       string `envconfig:"MCP_DOOR_URL"`
	DoorWait        string `envconfig:"DOOR_TOKEN_WAIT" default:"false"`
	Container       string `envconfig:"CLOUDFLARE_APPLICATION_ID"` // set by Cloudflare in its containers

	// The original's: understood, without effect here.
	WSPort       string `envconfig:"WS_PORT"`
	SessionDir   string `envconfig:"SESSION_DIR"`
	MemoryDir    string `envconfig:"MEMORY_DIR"`
	AllowedPaths string `envconfig:"ALLOWED_PATHS"`
	DevMode      string `envconfig:"DEV_MODE"`
	HotReload    string `envconfig:"HOT_RELOAD"`
}

// config is the environment, understood.
type config struct {
	environment
	keys         []ed25519.PublicKey
	store        storeConfig
	maxRuns      int
	shellTimeout time.Duration
	webTimeout   time.Duration
	llmTimeout   time.Duration
	mcpTimeout   time.Duration
	mcpPrivate   map[string]bool
	maxTokens    int
	context      int
	prices       *providers.Prices
	providers    map[string]model.Provider
	search       *websearch.Settings // nil where nobody is asked
	egress       *egress.Tokens      // nil where none are waited for
	level        slog.Level
	notes        []string // what else whoever starts it should know
	unused       []string // variables that are set and have no effect, and why
}

// list is a comma-separated list.
type list []string

// Decode reads the variable. An empty one is an empty list, not an absent one.
func (l *list) Decode(s string) error {
	*l = list{}
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			*l = append(*l, part)
		}
	}
	return nil
}

// load reads and checks the environment. Its error joins every fault, each with
// what to do, and repeats no secret.
func load() (config, error) {
	var c config
	if err := envconfig.Process("", &c.environment); err != nil {
		return c, fmt.Errorf("reading the environment: %w", err)
	}
	c.providers = readProviders()
	return c, c.check()
}

func (c *config) check() error {
	var faults []error
	bad := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		bad("AGENT_LISTEN_ADDR is not HOST:PORT: set it to something like 127.0.0.1:8788")
	}
	if _, _, err := net.SplitHostPort(c.Admin); c.Admin != "" && err != nil {
		bad("AGENT_ADMIN_LISTEN_ADDR is not HOST:PORT: set it to something like 127.0.0.1:9788")
	} else if c.Admin != "" && c.Admin == c.Listen {
		bad("AGENT_ADMIN_LISTEN_ADDR is the agent's own address: choose another port, such as 127.0.0.1:9788")
	}
	if u, err := url.Parse(c.Traces); c.Traces != "" && (err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || (u.Scheme != "http" && u.Scheme != "https")) {
		bad("OTEL_EXPORTER_OTLP_ENDPOINT is no address of a collector: write http://host:4318, and what it wants to be shown into OTEL_EXPORTER_OTLP_HEADERS")
	}
	if c.PublicKeys == "" {
		bad("PASS_PUBLIC_KEYS is not set: run `gateway keygen` and give the agent its second line, the gateway its first")
	} else if keys, err := pass.ParsePublic(c.PublicKeys); err != nil {
		bad("PASS_PUBLIC_KEYS %w: run `gateway keygen`", err)
	} else {
		c.keys = keys
	}
	c.parseStore(bad)
	var err error
	if c.maxRuns, err = strconv.Atoi(c.MaxRuns); err != nil || c.maxRuns < 1 {
		bad("MAX_CONCURRENT_RUNS is no number from 1 up: set it to something like 4")
	}
	for _, d := range []struct {
		name, text string
		into       *time.Duration
	}{{"SHELL_TIMEOUT", c.ShellTimeout, &c.shellTimeout}, {"WEB_TIMEOUT", c.WebTimeout, &c.webTimeout}, {"LLM_TIMEOUT", c.Timeout, &c.llmTimeout}, {"MCP_TIMEOUT", c.MCPTimeout, &c.mcpTimeout}} {
		if *d.into, err = duration(d.text); err != nil {
			bad("%s is neither milliseconds (30000) nor a duration (30s) above 0", d.name)
		}
	}
	for _, n := range []struct {
		name, text string
		into       *int
		least      int
	}{{"LLM_MAX_TOKENS", c.MaxTokens, &c.maxTokens, 1}, {"LLM_CONTEXT_TOKENS", c.ContextTokens, &c.context, 4096}} {
		if n.text == "" {
			continue
		}
		if *n.into, err = strconv.Atoi(n.text); err != nil || *n.into < n.least {
			bad("%s is no number from %d up: set it to what the model's provider says, or leave it out", n.name, n.least)
		}
	}
	if c.mcpPrivate, err = mcp.PrivateHosts(c.MCPPrivate); err != nil {
		bad("%w: write something like 127.0.0.1:3001, several with commas between", err)
	}
	if c.Prices != "" {
		if c.prices, err = providers.ParsePrices(c.Prices); err != nil {
			bad("LLM_PRICES: %v", err)
		}
	}
	if err := c.level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		bad("LOG_LEVEL is not one of debug, info, warn, error")
	}
	if c.LogFormat != "json" && c.LogFormat != "text" {
		bad("LOG_FORMAT is not one of json, text")
	}
	if u, err := url.Parse(c.WebEgress); c.WebEgress != "" && (err != nil || u.Host == "") {
		bad("WEB_DOOR_URL is no address: set it to something like http://web.internal")
	}
	if u, err := url.Parse(c.MCPEgress); c.MCPEgress != "" && (err != nil || u.Host == "" || strings.HasSuffix(c.MCPEgress, "/")) {
		bad("MCP_DOOR_URL is no address: set it to something like http://mcp.internal")
	}
	if wait, err := strconv.ParseBool(c.DoorWait); err != nil {
		bad("DOOR_TOKEN_WAIT is neither true nor false: leave it out unless an Agent object on Cloudflare starts this agent")
	} else if wait {
		c.egress = egress.Expect(c.R2Endpoint, c.EgressURL, c.WebEgress, c.MCPEgress)
		c.store.s3.Mark = c.egress.Mark
	}
	if c.search, err = websearch.Choose(c.WebSearch, os.Getenv, c.WebEgress); err != nil {
		bad("%w: see docs/CONFIGURATION.md", err)
	}
	m := c.model()
	faults = append(faults, m.Check()...)
	if c.Instance == "" {
		host, err := os.Hostname()
		if err != nil {
			bad("the host has no name: set AGENT_INSTANCE to a name that stays over restarts")
		}
		c.Instance = host + " " + c.Listen
	}
	c.findUnused()
	return errors.Join(faults...)
}

// secrets are the parts of the environment that no log may show.
func (c *config) secrets() []string {
	secrets := append([]string{c.R2AccessKey, c.R2SecretKey}, mcpSecrets()...)
	for _, p := range c.providers {
		secrets = append(secrets, p.Key)
	}
	for _, spec := range websearch.All() { // also of those that are not asked
		for _, name := range spec.Keys {
			secrets = append(secrets, strings.TrimSpace(os.Getenv(name)))
		}
	}
	return append(secrets, c.search.Secrets()...)
}

// duration reads milliseconds, as the original's variables are, or what Go
// writes for durations.
func duration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if n, numErr := strconv.ParseInt(text, 10, 64); numErr == nil {
		d, err = time.Duration(n)*time.Millisecond, nil
	}
	if err == nil && d <= 0 {
		err = errors.New("not above 0")
	}
	return d, err
}

func (c *config) findUnused() {
	for _, v := range []struct{ value, what string }{
		{c.WSPort, "WS_PORT has no effect: the WebSocket is on the gateway's own port, at /ws"},
		{c.SessionDir, "SESSION_DIR has no effect: sessions are kept in STORE"},
		{c.MemoryDir, "MEMORY_DIR has no effect on its own: POST its folder as a tar to /api/memory/import once"},
		{c.AllowedPaths, "ALLOWED_PATHS has no effect: file tools reach the user's workspace and nothing else"},
		{c.DevMode, "DEV_MODE has no effect: set LOG_LEVEL=debug and LOG_FORMAT=text instead"},
		{c.HotReload, "HOT_RELOAD has no effect: a changed SOUL.md counts from the next message anyway"},
	} {
		if v.value != "" {
			c.unused = append(c.unused, v.what)
		}
	}
}

func (c *config) model() model.Config {
	return model.Config{
		Providers:       c.Provider,
		Settings:        c.providers,
		EgressURL:       c.EgressURL,
		EgressProviders: c.EgressProviders,
		Timeout:         c.llmTimeout,
		MaxTokens:       c.maxTokens,

		AnthropicProtocol: strings.ToLower(strings.TrimSpace(c.Protocol)),
		AnthropicThinking: strings.ToLower(strings.TrimSpace(c.Thinking)),

		Context: c.context,
		Vision:  model.Vision(strings.ToLower(strings.TrimSpace(c.Vision))),
		Prices:  c.prices,
	}
}

// readProviders reads the variables of the providers' table.
func readProviders() map[string]model.Provider {
	settings := map[string]model.Provider{}
	for _, spec := range providers.All() {
		settings[spec.Name] = spec.Read(os.Getenv)
	}
	return settings
}

// mark puts a egress token on a request to an egress proxy.
func (c *config) mark(r *http.Request) {
	if c.egress != nil {
		c.egress.Mark(r)
	}
}

// modelClient is the client that passes the egress proxy to the models; nil where there is none.
func (c *config) modelClient() *http.Client {
	if c.egress == nil {
		return nil
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil // the egress proxy is the only way out
	t.MaxIdleConnsPerHost = 64
	return &http.Client{Transport: c.egress.Transport(t)}
}
