//go:build !js

package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/kelseyhightower/envconfig"

	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/gateway/host/meter"
	"github.com/loongclaw/loongclaw/gateway/host/native"
	"github.com/loongclaw/loongclaw/gateway/host/redis"
	"github.com/loongclaw/loongclaw/gateway/host/trace"
	"github.com/loongclaw/loongclaw/gateway/webchat"
	"github.com/loongclaw/loongclaw/pkg/pass"
	"github.com/loongclaw/loongclaw/telemetry/program"
)

// version is set when a release is built: -ldflags "-X main.version=…".
var version = ""

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	over, err := newHandover(reload)
	if err == nil {
		err = run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, over)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "gateway:", err)
		os.Exit(1)
	}
}

const usage = `gateway [serve]   answers requests (also without an argument)
gateway keygen    prints a new pair of keys for gateway and agent
gateway token     prints a new random token
gateway token mint USER [SCOPE]   prints a new entry for LOONGCLAW_TOKENS
gateway token session USER [FOR [SCOPE]]   prints a token of that user that ends by itself, after 24h unless FOR says otherwise
gateway token inspect   says what the token on standard input gives here
gateway check     lists every fault of the configuration
gateway version   prints the version
gateway help      prints this and the variables of the environment

SIGTERM ends it when requests in flight are answered; SIGHUP lets a new one, with
the program and ENV_FILE as they are now, take over without refusing a connection.
`

// run is the program, but for the process around it. The configuration comes
// from the process's environment, since envconfig reads no other.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, over *handover) error {
	command := "serve"
	if len(args) > 0 {
		command = args[0]
	}
	if _, err := readEnvFile(os.Getenv("ENV_FILE")); err != nil {
		return err
	}
	if command == "token" {
		return token(args[1:], stdin, stdout, time.Now())
	}
	if len(args) > 1 {
		return fmt.Errorf("%s does not take these arguments\nNext: gateway help", command)
	}
	switch command {
	case "serve":
		return serve(ctx, stderr, over)
	case "check":
		return check(stdout)
	case "keygen":
		return keygen(stdout)
	case "version":
		_, err := fmt.Fprintln(stdout, program.Version(version))
		return err
	case "help", "-h", "--help":
		if _, err := io.WriteString(stdout, usage+"\n"); err != nil {
			return err
		}
		return envconfig.Usagef("", &environment{}, stdout, "{{range .}}{{usage_key .}}\t{{usage_description .}}{{if usage_default .}} (default {{usage_default .}}){{end}}\n{{end}}")
	}
	return fmt.Errorf("there is no command %q\nNext: gateway help", command)
}

func keygen(stdout io.Writer) error {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return fmt.Errorf("making a key: %w", err)
	}
	_, err = fmt.Fprintf(stdout, "PASS_PRIVATE_KEY=%s\nPASS_PUBLIC_KEYS=%s\n", pass.FormatPrivate(private), pass.FormatPublic(public))
	return err
}

// check reports whether serve would start.
func check(stdout io.Writer) error {
	c, err := loadConfig(program.Version(version))
	if err != nil {
		return configError(err)
	}
	ways := fmt.Sprintf("%d tokens", len(c.edge.Tokens))
	if c.edge.JWT != nil {
		ways += ", JWT of " + c.edge.JWT.Issuer
	}
	if c.edge.Access != nil {
		ways += ", Cloudflare Access of " + c.edge.Access.Origin
	}
	if c.edge.NoWayIn() {
		ways = "no tokens: only this machine is let in"
	}
	public := "people reach it at " + c.edge.PublicURL
	if c.edge.PublicURL == "" {
		public = "PUBLIC_URL is not set: callbacks and links cannot name this gateway; set it to the address under which people reach it, such as https://ai.example.com"
	}
	_, err = fmt.Fprintf(stdout, "ok: listens on %s, %s, agents %v\n%s\n", c.listen, ways, c.edge.Agents, public)
	return err
}

// configError shows every fault on a line of its own.
func configError(err error) error {
	text := "the configuration has faults:"
	for _, e := range unjoin(err) {
		text += "\n  " + e.Error()
	}
	return errors.New(text + "\nNext: correct these variables; `gateway help` lists them all")
}

func serve(ctx context.Context, stderr io.Writer, over *handover) (err error) {
	c, err := loadConfig(program.Version(version))
	if err != nil {
		return configError(err)
	}
	log, closeLog, err := openLog(c, stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLog()) }()
	for _, name := range c.unused {
		log.Info("this variable of the original has no effect here", "variable", name)
	}
	program.TuneCollector(os.DirFS("/"), os.Getenv)
	c.edge.AsksReady, c.edge.Spends = true, true
	core, err := edge.New(c.edge)
	if err != nil {
		return configError(err)
	}
	shared, closeShared, err := openShared(ctx, c.redisURL, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeShared()) }()
	seen := meter.New(c.edge.Version)
	hc := native.Config{
		Core: core, Page: webchat.Files(), Agents: c.agents, Log: log, Shared: shared, Most: c.most,
		Agent: seen.Agents(native.NewTransport()), Seen: seen,
	}
	if c.agentFile != "" {
		hc.List = func() ([]edge.Agent, error) { return readAgents(c.agentFile, time.Now()) }
	}
	if c.traces {
		tracer, terr := trace.New(ctx, c.edge.Version, log)
		if terr != nil {
			return terr
		}
		defer tracer.Close(ctx, log)
		hc.Agent, hc.Middleware = tracer.Agents(hc.Agent), tracer.Server
	}
	host, err := native.New(hc)
	if err != nil {
		return err
	}
	seen.Watch(host.Sockets, host.Draining)
	closeAdmin, err := admin(ctx, over, c.admin, seen.Handler(), log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAdmin()) }()
	ln, err := over.listen(ctx, c.listen)
	if err != nil {
		return fmt.Errorf("%w\nNext: choose another address with LISTEN_ADDR, or stop what listens there", err)
	}
	log.Info("listening", "address", ln.Addr().String(), "version", c.edge.Version, "users", len(c.edge.Tokens), "agents", len(c.edge.Agents))
	if ctx, err = over.begin(ctx, c.envFile, log); err != nil {
		return err
	}
	context.AfterFunc(ctx, func() {
		if errors.Is(context.Cause(ctx), native.ErrReplaced) {
			_ = closeAdmin() // from now on the other process answers there
		}
	})
	return host.Serve(ctx, ln)
}

// openShared is what this gateway shares with others; nil when it is alone.
func openShared(ctx context.Context, url string, log *slog.Logger) (native.Shared, func() error, error) {
	if url == "" {
		return nil, func() error { return nil }, nil
	}
	m, err := redis.Open(ctx, url, log, time.Now)
	if err != nil {
		return nil, nil, fmt.Errorf("%w\nNext: correct REDIS_URL, or unset it where there is one gateway", err)
	}
	return m, m.Close, nil
}

// admin answers whoever operates this, on an address of its own, until it is closed:
// also while the host drains.
func admin(ctx context.Context, over *handover, addr string, h http.Handler, log *slog.Logger) (func() error, error) {
	if addr == "" {
		return func() error { return nil }, nil
	}
	ln, err := over.listen(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("%w\nNext: choose another address with ADMIN_LISTEN_ADDR, or stop what listens there", err)
	}
	return program.ServeAdmin(ln, h, log), nil
}

func openLog(c config, stderr io.Writer) (*slog.Logger, func() error, error) {
	form := program.Log{Level: c.logLevel, Format: c.logFormat, Secrets: c.secrets}
	if c.logFile == "" {
		return form.Logger(stderr), func() error { return nil }, nil
	}
	f, err := program.OpenLogFile(c.logFile)
	if err != nil {
		return nil, nil, err
	}
	return form.Logger(f), f.Close, nil
}
