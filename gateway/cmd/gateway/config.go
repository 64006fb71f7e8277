package main

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/kelseyhightower/envconfig"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/gateway/limit"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

// environment is every variable that the gateway reads. All are text here:
// envconfig stops at the first value it cannot convert, and whoever sets up a
// gateway wants to see all faults at once.
type environment struct {
	ListenAddr        string `envconfig:"LISTEN_ADDR" desc:"where to listen; HOST and PORT when empty, else 127.0.0.1:8787"`
	Host              string `envconfig:"HOST" desc:"the host part, when LISTEN_ADDR is empty"`
	Port              string `envconfig:"PORT" desc:"the port part, when LISTEN_ADDR is empty"`
	PublicURL         string `envconfig:"PUBLIC_URL" desc:"the address under which people reach this gateway, for callbacks and links"`
	AgentURL          string `envconfig:"AGENT_URL" default:"http://127.0.0.1:8788" desc:"the agents, comma-separated; a user always gets the same one"`
	AgentURLFile      string `envconfig:"AGENT_URL_FILE" desc:"a file that names the agents instead, one on a line; it is read again when it changes"`
	Tokens            string `envconfig:"LOONGCLAW_TOKENS" desc:"alice:TOKEN,bob:TOKEN:read; needed unless listening on loopback"`
	JWTIssuer         string `envconfig:"JWT_ISSUER" desc:"the iss of the JSON Web Tokens that count"`
	JWTAudience       string `envconfig:"JWT_AUDIENCE" desc:"the aud that they must have"`
	JWTPublicKeys     string `envconfig:"JWT_PUBLIC_KEYS" desc:"their issuer's public keys: PEM, or the JSON of its key set"`
	JWTUserClaim      string `envconfig:"JWT_USER_CLAIM" default:"sub" desc:"the claim that names the user"`
	JWTScopeClaim     string `envconfig:"JWT_SCOPE_CLAIM" default:"scope" desc:"the claim with read, chat or admin; without it a token may read and chat"`
	AccessTeam        string `envconfig:"ACCESS_TEAM_DOMAIN" desc:"the team of Cloudflare Access: TEAM.cloudflareaccess.com"`
	AccessAUD         string `envconfig:"ACCESS_AUD" desc:"the AUD tag of its application, several by commas"`
	LoginCode         string `envconfig:"LOONGCLAW_LOGIN_CODE" desc:"a code that logs in the first token's user once"`
	Canary            string `envconfig:"LOONGCLAW_CANARY" desc:"NAME:TOKEN of the user with whom a rollout tries a new generation"`
	AllowedOrigins    string `envconfig:"ALLOWED_ORIGINS" desc:"web origins that may call, comma-separated"`
	TrustedProxies    string `envconfig:"TRUSTED_PROXIES" desc:"addresses and networks whose X-Forwarded-* count"`
	RateLimitChat     string `envconfig:"RATE_LIMIT_CHAT" default:"30/m" desc:"messages of a user"`
	RateLimitAPI      string `envconfig:"RATE_LIMIT_API" default:"600/m" desc:"other requests of a user"`
	RateLimitAuth     string `envconfig:"RATE_LIMIT_AUTH" default:"10/m" desc:"wrong credentials of an address"`
	RedisURL          string `envconfig:"REDIS_URL" desc:"a Redis in which several gateways share limits and what was spent; natively only"`
	MaxConcurrentRuns string `envconfig:"MAX_CONCURRENT_RUNS" default:"4" desc:"active runs of a user; the agent holds to it"`
	MaxOpenBodyBytes  string `envconfig:"MAX_OPEN_BODY_BYTES" default:"67108864" desc:"bytes of a user's request bodies that are on their way at once; natively only"`
	MaxOpenStreams    string `envconfig:"MAX_OPEN_STREAMS" default:"256" desc:"event streams and answers of models that a user has open at once"`
	MaxOpenSockets    string `envconfig:"MAX_OPEN_SOCKETS" default:"64" desc:"WebSockets that a user has open at once"`
	PassPrivateKey    string `envconfig:"PASS_PRIVATE_KEY" desc:"the key that signs passes for the agent; gateway keygen prints one"`
	EnvFile           string `envconfig:"ENV_FILE" desc:"a file of NAME=VALUE lines that count before the environment, read at start and at SIGHUP"`
	PIDFile           string `envconfig:"PID_FILE" desc:"a file to write the number of the process that serves to"`
	AdminAddr         string `envconfig:"ADMIN_LISTEN_ADDR" desc:"where Prometheus finds /metrics; nowhere when empty"`
	Traces            string `envconfig:"OTEL_EXPORTER_OTLP_ENDPOINT" desc:"a collector of OpenTelemetry; no traces when empty"`
	LogLevel          string `envconfig:"LOG_LEVEL" default:"info" desc:"debug, info, warn or error"`
	LogFormat         string `envconfig:"LOG_FORMAT" default:"json" desc:"json or text"`
	LogFile           string `envconfig:"LOG_FILE" desc:"a file to write the log to instead of standard error"`

	// The original's: understood, without effect here.
	WSPort    string `envconfig:"WS_PORT" desc:"the original's; WebSockets are on the one port, at /ws and /"`
	DevMode   string `envconfig:"DEV_MODE" desc:"the original's; no effect"`
	HotReload string `envconfig:"HOT_RELOAD" desc:"the original's; no effect"`
}

// config is the environment, understood.
type config struct {
	listen    string
	admin     string // empty: no listener
	traces    bool
	edge      edge.Config
	most      edge.Most // what a user may have open at once
	agents    []edge.Agent
	agentFile string // names them anew while the gateway runs; empty: they stay
	envFile   string
	redisURL  string // empty: nothing is shared
	logLevel  slog.Level
	logFormat string
	logFile   string
	secrets   []string // what no log may show
	unused    []string // variables that are set and have no effect
}

// loadConfig reads the environment. Its error joins every fault, each with what
// to do, and repeats no secret.
func loadConfig(version string) (config, error) {
	var env environment
	if err := envconfig.Process("", &env); err != nil {
		return config{}, fmt.Errorf("reading the environment: %w", err)
	}
	env.fillEmpty()
	return env.understand(version)
}

// fillEmpty gives variables that are set to nothing their defaults, as env files
// and compose files often have them; envconfig does so only for those not set.
func (env *environment) fillEmpty() {
	v := reflect.ValueOf(env).Elem()
	for i := range v.NumField() {
		if v.Field(i).String() == "" {
			v.Field(i).SetString(v.Type().Field(i).Tag.Get("default"))
		}
	}
}

// letCanaryIn adds the rollout's own user to those who may come in. It is no way in
// for anybody else: where there is none, there still is none.
func (env environment) letCanaryIn(e *edge.Config) error {
	canary, err := access.ParseTokens(env.Canary)
	if err != nil || e.NoWayIn() || len(e.Tokens) == 0 && e.LoginCode != "" {
		return err
	}
	for _, c := range canary {
		for _, t := range e.Tokens {
			if t.User == c.User {
				return errors.New("names a user of LOONGCLAW_TOKENS: what the canary leaves is erased, so give it a name of its own")
			}
		}
	}
	e.Tokens = append(e.Tokens, canary...)
	return nil
}

// secrets are the parts of the environment that no log may show.
func (env environment) secrets() []string {
	all := []string{strings.TrimSpace(env.PassPrivateKey), strings.TrimSpace(env.LoginCode)}
	for part := range strings.SplitSeq(env.Tokens+","+env.Canary, ",") {
		_, token, _ := strings.Cut(part, ":")
		token, _, _ = strings.Cut(token, ":") // its scopes
		all = append(all, strings.TrimSpace(token))
	}
	if u, err := url.Parse(env.RedisURL); err == nil && u.User != nil {
		password, _ := u.User.Password()
		all = append(all, password)
	}
	return all
}

func (env environment) understand(version string) (config, error) {
	var faults []error
	note := func(name string, err error) {
		if err == nil {
			return
		}
		for _, e := range unjoin(err) {
			faults = append(faults, fmt.Errorf("%s: %w", name, e))
		}
	}
	var c config
	var err error
	e := &c.edge
	e.Version, e.LoginCode = version, strings.TrimSpace(env.LoginCode)
	c.secrets = env.secrets()
	c.listen, e.Loopback, err = env.listen()
	note("LISTEN_ADDR", err)
	addressOK := err == nil
	e.PublicURL, err = access.ParsePublicURL(strings.TrimSpace(env.PublicURL))
	note("PUBLIC_URL", err)
	note(env.agents(&c))
	c.admin = strings.TrimSpace(env.AdminAddr)
	note("ADMIN_LISTEN_ADDR", checkAdmin(c.admin, c.listen))
	c.traces = env.Traces != ""
	note("OTEL_EXPORTER_OTLP_ENDPOINT", checkCollector(env.Traces))
	e.Tokens, err = access.ParseTokens(env.Tokens)
	note("LOONGCLAW_TOKENS", err)
	tokensOK := err == nil
	note("LOONGCLAW_LOGIN_CODE", checkLoginCode(e.LoginCode, tokensOK && len(e.Tokens) == 0))
	e.JWT, err = access.NewJWT(strings.TrimSpace(env.JWTIssuer), strings.TrimSpace(env.JWTAudience), env.JWTPublicKeys, strings.TrimSpace(env.JWTUserClaim), strings.TrimSpace(env.JWTScopeClaim))
	faults = append(faults, unjoin(err)...)
	tokensOK = tokensOK && err == nil
	e.Access, err = access.ParseCloudflareAccess(strings.TrimSpace(env.AccessTeam), strings.TrimSpace(env.AccessAUD))
	faults = append(faults, unjoin(err)...)
	tokensOK = tokensOK && err == nil
	note("LOONGCLAW_CANARY", env.letCanaryIn(e))
	e.Origins, err = access.ParseOrigins(env.AllowedOrigins)
	note("ALLOWED_ORIGINS", err)
	e.Proxies, err = access.ParseProxies(env.TrustedProxies)
	note("TRUSTED_PROXIES", err)
	for _, r := range []struct {
		name, text string
		rate       *limit.Rate
	}{{"RATE_LIMIT_CHAT", env.RateLimitChat, &e.Limits.Chat}, {"RATE_LIMIT_API", env.RateLimitAPI, &e.Limits.API}, {"RATE_LIMIT_AUTH", env.RateLimitAuth, &e.Limits.Auth}} {
		*r.rate, err = limit.ParseRate(r.text)
		note(r.name, err)
	}
	c.redisURL = strings.TrimSpace(env.RedisURL)
	note("REDIS_URL", checkRedis(c.redisURL))
	_, err = parseCount(env.MaxConcurrentRuns, 4)
	note("MAX_CONCURRENT_RUNS", err)
	c.most, err = env.most()
	faults = append(faults, unjoin(err)...)
	note("PASS_PRIVATE_KEY", env.passKey(e))
	note("LOG_LEVEL", c.logLevel.UnmarshalText([]byte(env.LogLevel)))
	if c.logFormat = strings.ToLower(env.LogFormat); c.logFormat != "json" && c.logFormat != "text" {
		note("LOG_FORMAT", errors.New("is neither json nor text"))
	}
	c.envFile, c.logFile, c.unused = env.EnvFile, env.LogFile, env.withoutEffect()
	// The core checks the rest. Where a value above was refused, what the core
	// would say about its absence is no news.
	if len(faults) == 0 || addressOK && tokensOK && e.NoWayIn() && !e.Loopback {
		faults = append(faults, coreFaults(*e, len(faults) > 0)...)
	}
	return c, errors.Join(faults...)
}

// coreFaults is what the core finds. With other faults known, only the missing
// way in is asked for.
func coreFaults(e edge.Config, others bool) []error {
	if others {
		e = edge.Config{Tokens: e.Tokens, JWT: e.JWT, Access: e.Access, Loopback: e.Loopback}
		_, err := edge.New(e)
		return unjoin(err)[:1]
	}
	_, err := edge.New(e)
	return unjoin(err)
}

// unjoin lists the faults in a joined error.
func unjoin(err error) []error {
	if err == nil {
		return nil
	}
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		return j.Unwrap()
	}
	return []error{err}
}

func (env environment) passKey(e *edge.Config) (err error) {
	if env.PassPrivateKey == "" {
		return errors.New("is not set; `gateway keygen` prints one, and the agent's PASS_PUBLIC_KEYS with it")
	}
	if e.PassKey, err = pass.ParsePrivate(env.PassPrivateKey); err != nil {
		return fmt.Errorf("%w; `gateway keygen` prints a good one", err)
	}
	return nil
}

// agents names the variable that says which agents there are, and its fault.
func (env environment) agents(c *config) (name string, err error) {
	if c.agentFile = strings.TrimSpace(env.AgentURLFile); c.agentFile != "" {
		name = "AGENT_URL_FILE"
		c.agents, err = readAgents(c.agentFile, time.Now())
	} else {
		name = "AGENT_URL"
		c.agents, err = parseAgents(env.AgentURL)
	}
	for _, a := range c.agents {
		c.edge.Agents = append(c.edge.Agents, a.URL)
	}
	return name, err
}

// listen is the address, and whether only this machine can reach it.
func (env environment) listen() (addr string, loopback bool, err error) {
	addr = strings.TrimSpace(env.ListenAddr)
	if addr == "" {
		host, port := env.Host, env.Port
		if host == "" {
			host = "127.0.0.1"
		}
		if port == "" {
			port = "8787"
		}
		addr = net.JoinHostPort(strings.Trim(host, "[]"), port)
	}
	host, err := hostOf(addr)
	if err != nil {
		return "", false, fmt.Errorf("%w, such as 127.0.0.1:8787", err)
	}
	return addr, host != "" && access.IsLoopbackHost(host), nil
}

func hostOf(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if _, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil {
		return "", fmt.Errorf("%q is not an address; write host:port", addr)
	}
	return host, nil
}

// checkCollector: what stands in a URL gets into errors, so a secret must not.
func checkCollector(s string) error {
	if s == "" {
		return nil
	}
	if u, err := url.Parse(s); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return errors.New("is no address of a collector; write http://host:4318, and what it wants to be shown into OTEL_EXPORTER_OTLP_HEADERS")
	}
	return nil
}

// checkAdmin: what is for whoever operates this must not be at the public address.
func checkAdmin(addr, public string) error {
	if addr == "" {
		return nil
	}
	if _, err := hostOf(addr); err != nil {
		return fmt.Errorf("%w, such as 127.0.0.1:9787", err)
	}
	if addr == public {
		return errors.New("is the public address; choose another port, such as 127.0.0.1:9787")
	}
	return nil
}

// checkLoginCode is the core's check, early: it is told beside other faults.
func checkLoginCode(code string, nobody bool) error {
	switch {
	case code == "":
		return nil
	case nobody:
		return errors.New("is set without LOONGCLAW_TOKENS: it logs in the first token's user, so set one, or unset the code")
	case len(code) < access.MinToken:
		return fmt.Errorf("is shorter than %d characters; `gateway token` prints a good one", access.MinToken)
	}
	return nil
}

// checkRedis repeats nothing of the address: it may hold a password.
func checkRedis(s string) error {
	if s == "" {
		return nil
	}
	fault := errors.New("is not the address of a Redis; write redis://:PASSWORD@HOST:6379/0, rediss:// for TLS, or unix:///PATH")
	u, err := url.Parse(s)
	if err != nil {
		return fault
	}
	switch u.Scheme {
	case "unix":
		if u.Host != "" || u.Path == "" {
			return fault
		}
	case "redis", "rediss":
		db := strings.Trim(u.Path, "/")
		if _, err := strconv.ParseUint(db, 10, 16); u.Hostname() == "" || db != "" && err != nil {
			return fault
		}
	default:
		return fault
	}
	return nil
}

// most is what a user may have open at once. Its error names each variable.
func (env environment) most() (m edge.Most, err error) {
	usual := edge.UsualMost()
	var faults []error
	for _, v := range []struct {
		name, text string
		usual      int64
		take       func(int64)
	}{
		{edge.OpenBodies, env.MaxOpenBodyBytes, usual.BodyBytes, func(n int64) { m.BodyBytes = n }},
		{edge.OpenStreams, env.MaxOpenStreams, int64(usual.Streams), func(n int64) { m.Streams = int(n) }},
		{edge.OpenSockets, env.MaxOpenSockets, int64(usual.Sockets), func(n int64) { m.Sockets = int(n) }},
	} {
		n, err := parseCount(v.text, v.usual)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", v.name, err))
		}
		v.take(n)
	}
	return m, errors.Join(faults...)
}

// parseCount reads a count that fits into an int everywhere; such is an example.
func parseCount(s string, such int64) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 32)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("is not a count; write a number from 1 to %d, such as %d", math.MaxInt32, such)
	}
	return n, nil
}

func (env environment) withoutEffect() []string {
	var names []string
	for name, v := range map[string]string{"WS_PORT": env.WSPort, "DEV_MODE": env.DevMode, "HOT_RELOAD": env.HotReload} {
		if v != "" {
			names = append(names, name)
		}
	}
	return names
}
