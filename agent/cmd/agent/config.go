package main

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/kelseyhightower/envconfig"

	"github.com/loongclaw/loongclaw/agent/model"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

// config is the agent's environment. docs/CONFIGURATION.md has a row for each.
type config struct {
	Listen     string `envconfig:"AGENT_LISTEN_ADDR" default:"127.0.0.1:8788"`
	Instance   string `envconfig:"AGENT_INSTANCE"`
	PublicKeys string `envconfig:"PASS_PUBLIC_KEYS"`
	Store      string `envconfig:"STORE" default:"disk:./data"`
	MaxRuns    int    `envconfig:"MAX_CONCURRENT_RUNS" default:"4"`

	Workspace    string `envconfig:"WORKSPACE_DIR" default:"./workspace"`
	ShellTimeout millis `envconfig:"SHELL_TIMEOUT" default:"30000"`
	WebTimeout   millis `envconfig:"WEB_TIMEOUT" default:"30000"`
	WebHosts     list   `envconfig:"WEB_ALLOWED_HOSTS"`
	AutoApprove  *list  `envconfig:"TOOLS_AUTO_APPROVE"`

	LogLevel  string `envconfig:"LOG_LEVEL" default:"info"`
	LogFormat string `envconfig:"LOG_FORMAT" default:"json"`
	LogFile   string `envconfig:"LOG_FILE"`

	Provider       list   `envconfig:"LLM_PROVIDER"`
	Timeout        millis `envconfig:"LLM_TIMEOUT" default:"60000"`
	GLMKey         string `envconfig:"GLM_API_KEY"`
	GLMURL         string `envconfig:"GLM_API_URL"`
	GLMModel       string `envconfig:"GLM_MODEL"`
	OpenAIKey      string `envconfig:"OPENAI_API_KEY"`
	OpenAIURL      string `envconfig:"OPENAI_BASE_URL"`
	OpenAIModel    string `envconfig:"OPENAI_MODEL"`
	DeepSeekKey    string `envconfig:"DEEPSEEK_API_KEY"`
	DeepSeekURL    string `envconfig:"DEEPSEEK_API_URL"`
	DeepSeekURL2   string `envconfig:"DEEPSEEK_URL"`
	DeepSeekModel  string `envconfig:"DEEPSEEK_MODEL"`
	KimiKey        string `envconfig:"KIMI_API_KEY"`
	KimiURL        string `envconfig:"KIMI_API_URL"`
	KimiURL2       string `envconfig:"KIMI_URL"`
	KimiModel      string `envconfig:"KIMI_MODEL"`
	AnthropicKey   string `envconfig:"ANTHROPIC_API_KEY"`
	AnthropicURL   string `envconfig:"ANTHROPIC_API_URL"`
	AnthropicURL2  string `envconfig:"ANTHROPIC_BASE_URL"`
	AnthropicModel string `envconfig:"ANTHROPIC_MODEL"`
	OllamaURL      string `envconfig:"OLLAMA_API_URL"`
	OllamaURL2     string `envconfig:"OLLAMA_BASE_URL"`
	OllamaModel    string `envconfig:"OLLAMA_MODEL"`
	DoorURL        string `envconfig:"LLM_DOOR_URL"`
	DoorProviders  list   `envconfig:"LLM_DOOR_PROVIDERS"`

	keys []ed25519.PublicKey
}

// millis is a duration, given as milliseconds like the original's, or as Go
// writes durations.
type millis time.Duration

// Decode reads the variable.
func (m *millis) Decode(s string) error {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		*m = millis(time.Duration(n) * time.Millisecond)
	} else if d, err := time.ParseDuration(s); err == nil {
		*m = millis(d)
	} else {
		return errors.New("is neither milliseconds (30000) nor a duration (30s)")
	}
	if *m <= 0 {
		return errors.New("must be above 0")
	}
	return nil
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

// load reads and checks the environment. All faults are reported together.
func load() (config, error) {
	var c config
	err := envconfig.Process("", &c)
	var pe *envconfig.ParseError
	if errors.As(err, &pe) {
		// The value may be a secret in the wrong place: it is not repeated.
		return c, fmt.Errorf("%s: %w", pe.KeyName, pe.Err)
	}
	if err != nil {
		return c, err
	}
	return c, c.check()
}

func (c *config) check() error {
	var faults []error
	bad := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		bad("AGENT_LISTEN_ADDR is not HOST:PORT: set it to something like 127.0.0.1:8788")
	}
	if c.PublicKeys == "" {
		bad("PASS_PUBLIC_KEYS is not set: run `gateway keygen` and give the agent its second line, the gateway its first")
	} else if keys, err := pass.ParsePublic(c.PublicKeys); err != nil {
		bad("PASS_PUBLIC_KEYS %w: run `gateway keygen`", err)
	} else {
		c.keys = keys
	}
	if dir, ok := strings.CutPrefix(c.Store, "disk:"); !ok || dir == "" {
		bad("STORE is not disk:DIRECTORY: set it to something like disk:./data")
	}
	if c.MaxRuns < 1 {
		bad("MAX_CONCURRENT_RUNS is below 1: set it to 1 or more")
	}
	if !strings.Contains(" debug info warn error ", " "+strings.ToLower(c.LogLevel)+" ") {
		bad("LOG_LEVEL is not one of debug, info, warn, error")
	}
	if c.LogFormat != "json" && c.LogFormat != "text" {
		bad("LOG_FORMAT is not one of json, text")
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
	return errors.Join(faults...)
}

func (c *config) model() model.Config {
	return model.Config{
		Providers:     c.Provider,
		GLM:           model.Provider{Key: c.GLMKey, URL: c.GLMURL, Model: c.GLMModel},
		OpenAI:        model.Provider{Key: c.OpenAIKey, URL: c.OpenAIURL, Model: c.OpenAIModel},
		DeepSeek:      model.Provider{Key: c.DeepSeekKey, URL: first(c.DeepSeekURL, c.DeepSeekURL2), Model: c.DeepSeekModel},
		Kimi:          model.Provider{Key: c.KimiKey, URL: first(c.KimiURL, c.KimiURL2), Model: c.KimiModel},
		Anthropic:     model.Provider{Key: c.AnthropicKey, URL: first(c.AnthropicURL, c.AnthropicURL2), Model: c.AnthropicModel},
		Ollama:        model.Provider{URL: first(c.OllamaURL, c.OllamaURL2), Model: c.OllamaModel},
		DoorURL:       c.DoorURL,
		DoorProviders: c.DoorProviders,
		Timeout:       time.Duration(c.Timeout),
	}
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// noEffect are the original's variables that have no effect here, and why.
var noEffect = map[string]string{
	"WS_PORT":       "the WebSocket is on the gateway's own port, at /ws",
	"SESSION_DIR":   "sessions are kept in STORE",
	"ALLOWED_PATHS": "file tools reach the user's workspace and nothing else",
	"DEV_MODE":      "set LOG_LEVEL=debug and LOG_FORMAT=text instead",
	"HOT_RELOAD":    "a changed SOUL.md counts from the next message anyway",
}
