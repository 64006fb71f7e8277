// Command agent is the agent service: it runs turns and keeps what was said.
//
// Owns: the reading of the environment, the wiring of the rooms, signals.
// Touches: everything, once, at start.
// Never: holds logic of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	_ "golang.org/x/crypto/x509roots/fallback" // certificates where the system has none, as in our image

	"github.com/loongclaw/loongclaw/agent/attach"
	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/agent/egress"
	"github.com/loongclaw/loongclaw/agent/httpapi"
	"github.com/loongclaw/loongclaw/agent/meter"
	"github.com/loongclaw/loongclaw/agent/model"
	"github.com/loongclaw/loongclaw/agent/persona"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/skills"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/agent/tools/mcp"
	"github.com/loongclaw/loongclaw/agent/transfer"
	"github.com/loongclaw/loongclaw/telemetry/program"
)

// version is set by the linker in a release.
var version = ""

// drainTime is how long active runs may go on after SIGTERM. The platform gives
// 15 minutes, the design 20 seconds in all.
const drainTime = 15 * time.Second

func main() {
	if len(os.Args) == 2 && os.Args[1] == workerCommand {
		os.Exit(serveTask())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	command := "serve"
	if len(args) > 0 {
		command = args[0]
	}
	switch command {
	case "version", "--version":
		_, err := fmt.Fprintln(stdout, program.Version(version))
		return err
	case "export":
		return exportUser(ctx, args[1:], stdout, stderr)
	case "import":
		return importUser(ctx, args[1:], os.Stdin, stdout)
	case "verify":
		return verify(ctx, stdout)
	case "copy":
		return copyStore(ctx, args[1:], stdout)
	case "get":
		return getObject(ctx, args[1:], stdout)
	case "put":
		return putObject(ctx, args[1:], os.Stdin)
	case "ls":
		return listObjects(ctx, args[1:], stdout)
	case "serve", "check":
	default:
		return fmt.Errorf("unknown command %q\nNext: agent [serve | check | verify | export | import | copy | get | put | ls | version]", command)
	}
	c, err := load()
	if err != nil {
		return fmt.Errorf("the configuration has faults:\n  %s\nNext: mend them and start again; docs/CONFIGURATION.md has every variable", strings.ReplaceAll(err.Error(), "\n", "\n  "))
	}
	if command == "check" {
		return check(ctx, c, stdout)
	}
	return serve(ctx, c, stderr)
}

// serve runs the agent until ctx ends.
func serve(ctx context.Context, c config, stderr io.Writer) (err error) {
	log, closeLog, err := logger(c, stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLog()) }()
	counts := meter.New(program.Version(version))
	log = slog.New(counts.Log(log.Handler()))
	seen, closeSeeing, err := openSeeing(ctx, c, counts, log)
	if err != nil {
		return err
	}
	defer closeSeeing()
	closeAdmin, err := admin(c.Admin, seen.Handler(), log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAdmin()) }()
	if err := harden(); err != nil {
		log.Warn("programs that tools start may read this process", slog.Any("error", err))
	}
	for _, what := range slices.Concat(c.notes, c.unused) {
		log.Warn(what)
	}
	// It listens from its first moment: who starts it sees that it is starting, and
	// can bring what it waits for.
	entrance := &httpapi.Startup{Egress: c.egress, Keys: c.keys}
	server, failed, err := listen(c, seen.handler(entrance), log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	if c.egress != nil {
		if err := c.egress.Wait(ctx); err != nil {
			return err
		}
	}
	store, closeStore, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	if c.egress == nil { // behind the egress proxy there is one user, and no copy of a whole store
		if err := transfer.Ready(ctx, store); err != nil {
			return withHint(err)
		}
	}
	store = seen.bucket(store)
	models := c.model()
	models.Wrap = seen.model
	chatModel, info := model.New(models, log, seen.client(c.modelClient()))
	foreign, err := mcpConfig(ctx, c, store, info.Window(), log)
	if err != nil {
		return err
	}
	// An approval that is noted needs the journals, and those need the tools.
	var manager *runs.Manager
	foreign.Note = func(ctx context.Context, user string, entries ...auditlog.Entry) error {
		return manager.Users().Note(ctx, user, entries...)
	}
	servers := mcp.New(foreign)
	defer servers.Close()
	known := skills.New(skills.Config{Bucket: store, Log: log, Now: time.Now, Note: foreign.Note})
	defer known.Close()
	withCatalogs := toolsConfig(c, log)
	withCatalogs.Catalogs = []tools.Catalog{known, servers}
	box := tools.New(withCatalogs)
	manager = runs.New(runs.Config{
		Bucket: store, Model: chatModel, Tools: box, Instance: c.Instance, MaxRuns: c.maxRuns, Window: info.Window(), AnswerTokens: c.maxTokens, Log: log, Now: time.Now,
		Reader: attach.NewReader(withCatalogs.Worker), Vision: info.Sees(),
		Persona:  persona.Reader{Bucket: store, File: "config/SOUL.md", Log: log}.For,
		Observer: seen, Trace: seen.runs(),
	})
	servers.Start()
	activity := manager.Activity()
	seen.Watch(activity.Active, activity.Waiting, activity.Draining)
	api := httpapi.New(httpapi.Config{
		Runs: manager, Activity: activity, Lists: manager.Lists(), Asides: manager.Asides(), Audit: manager.Audit(), Users: manager.Users(),
		Tools: box, Servers: servers, Skills: known, Model: info, Keys: c.keys, Version: program.Version(version), Log: log, Now: time.Now, Seen: seen, Egress: c.egress,
	})
	log.Info("ready", slog.String("store", c.Store), slog.String("provider", info.Provider), slog.String("model", info.Model))
	program.TuneCollector(os.DirFS("/"), os.Getenv) // not before: what a start leaves behind goes first
	go recoverRuns(context.WithoutCancel(ctx), manager, c.egress, log)
	api.SetReady()
	entrance.Open(api)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping")
	api.Farewell(context.WithoutCancel(ctx))
	return stop(ctx, server, manager)
}

// recoverRuns takes up what an earlier process left unfinished. Behind the egress proxy the
// object that started this one has said whose.
func recoverRuns(ctx context.Context, manager *runs.Manager, tokens *egress.Tokens, log *slog.Logger) {
	names := tokens.Users()
	if len(names) == 0 {
		var err error
		if names, err = manager.Users().Names(ctx); err != nil {
			log.Error("what was left unfinished is not looked for, until its user comes", slog.Any("error", err))
		}
	}
	manager.Recover(ctx, names...)
}

// stop lets active runs go on for a while, then ends what is left.
func stop(ctx context.Context, server *http.Server, manager *runs.Manager) error {
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	manager.Drain(drain)
	// Streams have ended with the drain; what is left is short.
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if err := server.Shutdown(end); err != nil {
		return server.Close()
	}
	return nil
}

func toolsConfig(c config, log *slog.Logger) tools.Config {
	limits := shellLimits()
	return tools.Config{
		Worker: newWorker(limits), AutoApprove: c.AutoApprove, WorkspaceDir: c.Workspace, ShellTimeout: c.shellTimeout, ShellLimits: limits, WebTimeout: c.webTimeout,
		WebHosts: c.WebHosts, WebEgress: c.WebEgress, Search: c.search, Mark: c.mark, Log: log, Now: time.Now,
	}
}

func listen(c config, handler http.Handler, log *slog.Logger) (*http.Server, <-chan error, error) {
	ln, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, nil, fmt.Errorf("AGENT_LISTEN_ADDR: %w\nNext: stop what listens there, or choose another address", err)
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(ln) }()
	log.Info("listening", slog.String("addr", ln.Addr().String()))
	return server, failed, nil
}

func logger(c config, stderr io.Writer) (*slog.Logger, func() error, error) {
	form := program.Log{Level: c.level, Format: c.LogFormat, Secrets: c.secrets()}
	if c.LogFile == "" {
		return form.Logger(stderr), func() error { return nil }, nil
	}
	f, err := program.OpenLogFile(c.LogFile)
	if err != nil {
		return nil, nil, err
	}
	return form.Logger(io.MultiWriter(stderr, f)), f.Close, nil
}
