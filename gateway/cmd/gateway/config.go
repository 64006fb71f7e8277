package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/kelseyhightower/envconfig"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/gateway/limit"
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
	env.tidy()
	return env.understand(version)
}

// tidy takes the space around values away, and gives variables that are set to nothing
// their defaults, as env files and compose files often have them; envconfig does so only
// for those not set.
func (env *environment) tidy() {
	v := reflect.ValueOf(env).Elem()
	for i := range v.NumField() {
		value := strings.TrimSpace(v.Field(i).String())
		if value == "" {
			value = v.Type().Field(i).Tag.Get("default")
		}
		v.Field(i).SetString(value)
	}
}

// secrets are the parts of the environment that no log may show.
func (env environment) secrets() []string {
	all := []string{env.PassPrivateKey, env.LoginCode}
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

// faults gathers what is wrong with the environment.
type faults struct {
	all    []error
	faulty []string // variables that something is wrong with
}

// note adds what is wrong with a variable.
func (f *faults) note(variable string, err error) {
	for _, e := range unjoin(err) {
		f.add(variable, fmt.Errorf("%s: %w", variable, e))
	}
}

// add adds faults that name their variables themselves, around this one.
func (f *faults) add(variable string, err error) {
	for _, e := range unjoin(err) {
		f.all = append(f.all, e)
		f.faulty = append(f.faulty, variable)
	}
}

// addCore adds what the core refuses, but for what follows from a fault that is known:
// where a value was refused, that it is missing is no news.
func (f *faults) addCore(err error) {
	for _, e := range unjoin(err) {
		var fault *edge.ConfigFault
		if !errors.As(e, &fault) || !slices.ContainsFunc(fault.Variables, func(v string) bool { return slices.Contains(f.faulty, v) }) {
			f.all = append(f.all, e)
		}
	}
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

// parsed is the value of a variable, as it is understood.
func parsed[T any](f *faults, variable, text string, parse func(string) (T, error)) T {
	v, err := parse(text)
	f.note(variable, err)
	return v
}

// understand reads each variable and has the core judge what they say together.
func (env environment) understand(version string) (config, error) {
	var f faults
	var err error
	usual := edge.UsualMost()
	c := config{
		secrets: env.secrets(), envFile: env.EnvFile, logFile: env.LogFile, unused: env.withoutEffect(),
		admin: env.AdminAddr, traces: env.Traces != "", redisURL: env.RedisURL,
		most: edge.Most{
			BodyBytes: parsed(&f, edge.OpenBodies, env.MaxOpenBodyBytes, countLike(usual.BodyBytes)),
			Streams:   int(parsed(&f, edge.OpenStreams, env.MaxOpenStreams, countLike(int64(usual.Streams)))),
			Sockets:   int(parsed(&f, edge.OpenSockets, env.MaxOpenSockets, countLike(int64(usual.Sockets)))),
		},
		logLevel:  parsed(&f, "LOG_LEVEL", env.LogLevel, parseLevel),
		logFormat: parsed(&f, "LOG_FORMAT", env.LogFormat, parseFormat),
		edge: edge.Config{
			Version: version, LoginCode: env.LoginCode,
			PublicURL: parsed(&f, "PUBLIC_URL", env.PublicURL, access.ParsePublicURL),
			Tokens:    parsed(&f, "LOONGCLAW_TOKENS", env.Tokens, access.ParseTokens),
			Origins:   parsed(&f, "ALLOWED_ORIGINS", env.AllowedOrigins, access.ParseOrigins),
			Proxies:   parsed(&f, "TRUSTED_PROXIES", env.TrustedProxies, access.ParseProxies),
			PassKey:   parsed(&f, "PASS_PRIVATE_KEY", env.PassPrivateKey, parsePassKey),
			Limits: limit.Rates{
				Chat: parsed(&f, "RATE_LIMIT_CHAT", env.RateLimitChat, limit.ParseRate),
				API:  parsed(&f, "RATE_LIMIT_API", env.RateLimitAPI, limit.ParseRate),
				Auth: parsed(&f, "RATE_LIMIT_AUTH", env.RateLimitAuth, limit.ParseRate),
			},
		},
	}
	parsed(&f, "MAX_CONCURRENT_RUNS", env.MaxConcurrentRuns, countLike(4)) // the agent's: told here, too
	c.listen, c.edge.Loopback, err = env.listen()
	f.note("LISTEN_ADDR", err)
	f.note("ADMIN_LISTEN_ADDR", checkAdmin(c.admin, c.listen))
	f.note("OTEL_EXPORTER_OTLP_ENDPOINT", checkCollector(env.Traces))
	f.note("REDIS_URL", checkRedis(c.redisURL))
	f.note(env.agents(&c))
	c.edge.JWT, err = access.NewJWT(env.JWTIssuer, env.JWTAudience, env.JWTPublicKeys, env.JWTUserClaim, env.JWTScopeClaim)
	f.add("JWT_ISSUER", err)
	c.edge.Access, err = access.ParseCloudflareAccess(env.AccessTeam, env.AccessAUD)
	f.add("ACCESS_TEAM_DOMAIN", err)
	f.note("LOONGCLAW_CANARY", env.letCanaryIn(&c.edge))
	_, err = edge.New(c.edge)
	f.addCore(err)
	return c, errors.Join(f.all...)
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

// agents names the variable that says which agents there are, and its fault.
func (env environment) agents(c *config) (name string, err error) {
	if c.agentFile = env.AgentURLFile; c.agentFile != "" {
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

// withoutEffect lists the original's variables that are set.
func (env environment) withoutEffect() []string {
	var names []string
	for name, v := range map[string]string{"WS_PORT": env.WSPort, "DEV_MODE": env.DevMode, "HOT_RELOAD": env.HotReload} {
		if v != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
