package httpapi

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/agent/egress"
	"github.com/loongclaw/loongclaw/agent/mcpserver"
	"github.com/loongclaw/loongclaw/agent/model"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/skills"
	"github.com/loongclaw/loongclaw/agent/thread"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/agent/tools/mcp"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

// Config is what the surface shows and whom it trusts.
type Config struct {
	Runs    *runs.Manager
	Tools   *tools.Box
	Model   model.Info
	Keys    []ed25519.PublicKey
	Version string
	Log     *slog.Logger
	Now     func() time.Time
	Seen    Observer       // nobody when nil
	Servers *mcp.Source    // servers of tools; nil where there are none
	Skills  *skills.Source // nil where there are none
	Egress  *egress.Tokens // where requests bring their users' tokens; nil where none are wanted
}

// Observer is told of each request that was answered. The route is a template, or
// empty. It must not wait.
type Observer interface {
	Answered(route, method, kind string, status int, took time.Duration)
}

// The kinds of requests.
const (
	KindPlain  = "plain"
	KindStream = "stream" // its answer takes as long as a model does, or as its reader stays
)

var streams = map[string]bool{chat.PathChat: true, chat.PathEvents: true, chat.PathList: true, chat.PathCompletions: true, chat.PathMCP: true}

// Server answers the gateway.
type Server struct {
	Config
	echo    *echo.Echo
	state   readiness
	began   time.Time
	threads thread.Index
	clients *mcpserver.Server // of the Model Context Protocol
}

// New makes the server. It says that it is ready once SetReady was called.
func New(c Config) *Server {
	s := &Server{Config: c, echo: echo.New(), began: c.Now(), clients: mcpserver.New(c.Runs, c.Version, c.Log)}
	s.echo.HTTPErrorHandler = s.fail
	s.routes()
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.state.stopping.Load() {
		// A kept connection would close while a request is being written to it, and
		// nobody could tell whether that was taken.
		w.Header().Set("Connection", "close")
	}
	s.echo.ServeHTTP(w, r)
}

// routes lists everything that the agent answers.
func (s *Server) routes() {
	e := s.echo
	if s.Seen != nil {
		e.Use(s.watch)
	}
	e.GET(chat.PathHealth, s.health)
	e.GET(chat.PathReady, s.isReady)
	// For whoever keeps this process; no gateway forwards it.
	e.GET("/active", s.active)

	// Not groups: echo's would answer unknown paths and methods themselves.
	read := on{e, s.let("read")}
	read.route(http.MethodGet, chat.PathStats, s.stats)
	read.route(http.MethodGet, chat.PathConfig, s.config)
	read.route(http.MethodGet, chat.PathTools, s.tools)
	read.route(http.MethodGet, chat.PathServers, s.listServers)
	read.route(http.MethodGet, chat.PathModels, s.models)
	read.route(http.MethodGet, chat.PathUsage, s.usage)
	read.route(http.MethodGet, chat.PathLedger, s.ledger)
	read.route(http.MethodGet, chat.PathHistory, s.history)
	read.route(http.MethodGet, chat.PathHistoryOf, s.history)
	read.route(http.MethodGet, chat.PathSessions, s.sessions)
	read.route(http.MethodGet, chat.PathList, s.list)
	read.route(http.MethodGet, chat.PathSession, s.session)
	read.route(http.MethodGet, chat.PathApprovals, s.approvals)
	read.route(http.MethodGet, chat.PathEvents, s.events)
	read.route(http.MethodGet, chat.PathMemorySearch, s.searchMemory)
	read.route(http.MethodGet, chat.PathMemoryExport, s.exportMemory)
	read.route(http.MethodGet, chat.PathFiles, s.listFiles)
	read.route(http.MethodGet, chat.PathFile, s.readFile)
	read.route(http.MethodGet, chat.PathOpenAIModels, s.openAIModels)
	read.route(http.MethodGet, chat.PathOpenAIModel, s.openAIModel)

	read.route(http.MethodGet, chat.PathSkills, s.listSkills)
	read.route(http.MethodPost, chat.PathMCP, s.mcp)

	write := on{e, s.let("chat")}
	write.route(http.MethodPost, chat.PathChat, s.chat)
	write.route(http.MethodPost, chat.PathRuns, s.start)
	write.route(http.MethodPost, chat.PathCancel, s.cancel)
	write.route(http.MethodPost, chat.PathRegenerate, s.regenerate)
	write.route(http.MethodPost, chat.PathApproval, s.approve)
	write.route(http.MethodPatch, chat.PathSession, s.updateSession)
	write.route(http.MethodDelete, chat.PathSession, s.deleteSession)
	write.route(http.MethodDelete, chat.PathHistory, s.clear)
	write.route(http.MethodDelete, chat.PathHistoryOf, s.clear)
	write.route(http.MethodPost, chat.PathMemory, s.saveMemory)
	write.route(http.MethodDelete, chat.PathMemoryItem, s.forgetMemory)
	write.route(http.MethodPost, chat.PathMemoryImport, s.importMemory)
	write.route(http.MethodPut, chat.PathFile, s.writeFile)
	write.route(http.MethodDelete, chat.PathFile, s.removeFile)
	write.route(http.MethodPut, chat.PathServer, s.setServer)
	write.route(http.MethodDelete, chat.PathServer, s.removeServer)
	write.route(http.MethodPost, chat.PathServerPinned, s.approveServer)
	write.route(http.MethodPost, chat.PathSkillPinned, s.approveSkill)
	write.route(http.MethodGet, chat.PathServerGrant, s.authorizeServer)
	write.route(http.MethodGet, chat.PathServerReturn, s.serverAuthorized)
	write.route(http.MethodPost, chat.PathCompletions, s.complete)
}

// watch tells the observer of a request, when its answer has its end.
func (s *Server) watch(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		began := s.Now()
		c.Request().Pattern = c.Path() // for whoever stands around this server
		if err := next(c); err != nil {
			c.Error(err) // now, so that the status is known
		}
		kind := KindPlain
		if streams[strings.TrimSuffix(c.Path(), "/")] {
			kind = KindStream
		}
		s.Seen.Answered(c.Path(), c.Request().Method, kind, c.Response().Status, s.Now().Sub(began))
		return nil
	}
}

// on adds routes behind a middleware.
type on struct {
	echo *echo.Echo
	let  echo.MiddlewareFunc
}

// OpenAI's clients join paths to an address that somebody typed, so theirs may end
// in a slash.
func (o on) route(method, path string, h echo.HandlerFunc) {
	o.echo.Add(method, path, h, o.let)
	if fault.DialectOf(path) == fault.OpenAI && !strings.HasSuffix(path, "*") {
		o.echo.Add(method, path+"/", h, o.let)
	}
}

// let lets a request in whose pass is valid, made for it, and has the scope.
func (s *Server) let(scope string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			p, err := pass.Verify(s.Keys, r.Header.Get(chat.HeaderPass), r.Method, r.URL.EscapedPath(), s.Now())
			if err != nil {
				s.Log.Info("a request without a valid pass", slog.String("requestId", fmt.Sprintf("%.64s", requestID(c))), slog.String("route", c.Path()), slog.Any("err", err))
				return fault.Wrap(err, fault.CodeUnauthorized, "the agent answers the gateway only", "ask the gateway; if this is the gateway, compare PASS_PRIVATE_KEY with the agent's PASS_PUBLIC_KEYS, and the two clocks")
			}
			if !p.Has(scope) {
				return fault.New(fault.CodeForbidden, "this needs the scope "+scope, "use a token that has it")
			}
			s.Egress.Bring(p.User, r.Header.Get(egress.Header))
			c.Set("user", p.User)
			c.Set("admin", p.Has("admin"))
			c.Set("chat", p.Has("chat"))
			s.Runs.Note(runs.Caller{User: p.User, Via: p.Via, Refused: p.Refused})
			c.Response().Header().Set("Cache-Control", "no-store")
			return next(c)
		}
	}
}

func user(c echo.Context) string      { u, _ := c.Get("user").(string); return u }
func requestID(c echo.Context) string { return c.Request().Header.Get(chat.HeaderRequestID) }

// fail writes an error as the contract has it, and logs what is ours to mend.
func (s *Server) fail(err error, c echo.Context) {
	f := s.fault(err, c)
	if f.Status() >= 500 && f.Code != fault.CodeDraining && f.Code != fault.CodeUnavailable { // these two are no trouble
		s.Log.Error("request failed", slog.String("requestId", requestID(c)), slog.String("method", c.Request().Method), slog.String("route", c.Path()), slog.Any("err", err))
	}
	if c.Response().Committed {
		return // a stream that broke off: the client sees that it has no end
	}
	if n := f.RetrySeconds(); n > 0 {
		c.Response().Header().Set("Retry-After", strconv.Itoa(n))
	}
	if err := c.JSONBlob(f.Status(), f.With(requestID(c)).JSON(fault.DialectOf(c.Request().URL.Path))); err != nil {
		s.Log.Debug("error not sent", slog.Any("err", err))
	}
}

func (s *Server) fault(err error, c echo.Context) *fault.Error {
	var he *echo.HTTPError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return fault.New(fault.CodeTooLarge, "the body is larger than this path takes", "send less at once")
	case errors.As(err, &he) && he.Code == http.StatusNotFound:
		return fault.New(fault.CodeNotFound, "Not found", "docs/PROTOCOL.md lists the paths")
	case errors.As(err, &he):
		return fault.New(fault.CodeForStatus(he.Code), strings.ToLower(http.StatusText(he.Code)), "docs/PROTOCOL.md lists paths and methods")
	case c.Request().Context().Err() != nil && !errors.As(err, new(*fault.Error)):
		return fault.Wrap(err, fault.CodeCancelled, "the request was ended by its sender", "")
	}
	return fault.From(err)
}

// active says how many sessions something runs in, so that nobody stops the agent
// under them, and whose; with ?user=NAME, those of one user, so that nobody moves
// that user.
func (s *Server) active(c echo.Context) error {
	if user := c.QueryParam("user"); user != "" {
		return c.JSON(http.StatusOK, map[string]int{"active": s.Runs.ActiveOf(user)})
	}
	return c.JSON(http.StatusOK, map[string]any{"active": s.Runs.Active(), "users": s.Runs.Busy()})
}
