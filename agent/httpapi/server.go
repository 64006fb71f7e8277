package httpapi

import (
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/agent/aside"
	"github.com/loongclaw/loongclaw/agent/audittrail"
	"github.com/loongclaw/loongclaw/agent/egress"
	"github.com/loongclaw/loongclaw/agent/mcpserver"
	"github.com/loongclaw/loongclaw/agent/model"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/sessionlist"
	"github.com/loongclaw/loongclaw/agent/skills"
	"github.com/loongclaw/loongclaw/agent/thread"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/agent/tools/mcp"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

// Config is what the surface shows and whom it trusts.
type Config struct {
	Runs     *runs.Manager
	Activity Activity
	Lists    *sessionlist.Lists
	Asides   *aside.Asides
	Audit    *audittrail.Trail
	Users    *users.Users
	Tools    *tools.Box
	Model    model.Info
	Keys     []ed25519.PublicKey
	Version  string
	Log      *slog.Logger
	Now      func() time.Time
	Seen     Observer       // nobody when nil
	Servers  *mcp.Source    // servers of tools; nil where there are none
	Skills   *skills.Source // nil where there are none
	Egress   *egress.Tokens // where requests bring their users' tokens; nil where none are wanted
}

// Activity says in how many sessions something runs, and whose they are.
type Activity interface {
	Active() int
	ActiveOf(user string) int
	Busy() []string
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

// Server answers the gateway.
type Server struct {
	Config
	echo    *echo.Echo
	streams map[string]bool // the paths whose answers may be streams
	state   readiness
	began   time.Time
	threads thread.Index
	clients *mcpserver.Server // of the Model Context Protocol
}

// New makes the server. It says that it is ready once SetReady was called.
func New(c Config) *Server {
	s := &Server{Config: c, echo: echo.New(), streams: map[string]bool{}, began: c.Now(), clients: mcpserver.New(mcpserver.Config{Runs: c.Runs, Lists: c.Lists, Users: c.Users, Version: c.Version, Log: c.Log})}
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

// watch tells the observer of a request, when its answer has its end.
func (s *Server) watch(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		began := s.Now()
		c.Request().Pattern = c.Path() // for whoever stands around this server
		if err := next(c); err != nil {
			c.Error(err) // now, so that the status is known
		}
		kind := KindPlain
		if s.streams[c.Path()] {
			kind = KindStream
		}
		s.Seen.Answered(c.Path(), c.Request().Method, kind, c.Response().Status, s.Now().Sub(began))
		return nil
	}
}

// let lets a request in whose pass is valid, made for it, and has the scope.
func (s *Server) let(scope string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			p, err := pass.Verify(s.Keys, r.Header.Get(chat.HeaderPass), r.Method, r.URL.EscapedPath(), s.Now())
			if err != nil {
				s.Log.Info("a request without a valid pass", slog.String("requestId", fmt.Sprintf("%.64s", requestID(c))), slog.String("route", c.Path()), slog.Any("error", err))
				return fault.Wrap(err, fault.CodeUnauthorized, "the agent answers the gateway only", "ask the gateway; if this is the gateway, compare PASS_PRIVATE_KEY with the agent's PASS_PUBLIC_KEYS, and the two clocks")
			}
			if !p.Has(scope) {
				return fault.New(fault.CodeForbidden, "this needs the scope "+scope, "use a token that has it")
			}
			s.Egress.Bring(p.User, r.Header.Get(egress.Header))
			c.Set("user", p.User)
			c.Set(chat.ScopeAdmin, p.Has(chat.ScopeAdmin))
			c.Set(chat.ScopeChat, p.Has(chat.ScopeChat))
			s.Audit.Note(audittrail.Caller{User: p.User, Via: p.Via, Refused: p.Refused})
			c.Response().Header().Set("Cache-Control", "no-store")
			return next(c)
		}
	}
}

func user(c echo.Context) string      { u, _ := c.Get("user").(string); return u }
func requestID(c echo.Context) string { return c.Request().Header.Get(chat.HeaderRequestID) }

// may reports whether who asks has a scope beside that of reading.
func may(c echo.Context, scope string) bool { has, _ := c.Get(scope).(bool); return has }

// accepts reports whether a client names a kind of answer.
func accepts(c echo.Context, kind string) bool {
	return strings.Contains(c.Request().Header.Get(echo.HeaderAccept), kind)
}
