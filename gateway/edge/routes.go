package edge

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/gateway/limit"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// How long a body may be. The agent judges what is in it; these only keep out
// what cannot be meant.
const (
	smallBody  = 64 << 10
	serverBody = 512 << 10      // a server's address and 32 headers of 8 KiB, escaped
	chatBody   = 2 << 20        // a message of 256 KiB with every character escaped
	modelBody  = 8 << 20        // a whole conversation, as OpenAI clients send it
	fileBody   = 8<<20 + 64<<10 // a file of 8 MiB, and a little, so that the agent can say what is too much
	tarBody    = 16 << 20       // what an import takes
)

// route is a path that goes on to the agent.
type route struct {
	method, path string
	scope, class string
	maxBody      int64
	stream       bool // the answer may take as long as a model does
}

const (
	get, post, put, patch, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete

	read, talk = access.ScopeRead, access.ScopeChat
)

// forwarded are all paths of the agent.
var forwarded = []route{
	{post, chat.PathChat, talk, limit.Chat, chatBody, true},
	{get, chat.PathHistory, read, limit.API, smallBody, false},
	{get, chat.PathHistoryOf, read, limit.API, smallBody, false},
	{del, chat.PathHistory, talk, limit.API, smallBody, false},
	{del, chat.PathHistoryOf, talk, limit.API, smallBody, false},

	{get, chat.PathSessions, read, limit.API, smallBody, false},
	{get, chat.PathList, read, limit.API, smallBody, true},
	{get, chat.PathSession, read, limit.API, smallBody, false},
	{patch, chat.PathSession, talk, limit.API, smallBody, false},
	{del, chat.PathSession, talk, limit.API, smallBody, false},
	{post, chat.PathRuns, talk, limit.Chat, chatBody, false},
	{get, chat.PathEvents, read, limit.API, smallBody, true},
	{post, chat.PathCancel, talk, limit.API, smallBody, false},
	{post, chat.PathRegenerate, talk, limit.Chat, smallBody, false},
	{get, chat.PathApprovals, read, limit.API, smallBody, false},
	{post, chat.PathApproval, talk, limit.API, smallBody, false},

	{get, chat.PathMemorySearch, read, limit.API, smallBody, false},
	{get, chat.PathMemoryExport, read, limit.API, smallBody, false},
	{post, chat.PathMemoryImport, talk, limit.API, tarBody, false},
	{post, chat.PathMemory, talk, limit.API, chatBody, false},
	{del, chat.PathMemoryItem, talk, limit.API, smallBody, false},

	{get, chat.PathFiles, read, limit.API, smallBody, false},
	{get, chat.PathFile, read, limit.API, smallBody, false},
	{put, chat.PathFile, talk, limit.API, fileBody, false},
	{del, chat.PathFile, talk, limit.API, smallBody, false},

	{get, chat.PathStats, read, limit.API, smallBody, false},
	{get, chat.PathConfig, read, limit.API, smallBody, false},
	{get, chat.PathTools, read, limit.API, smallBody, false},
	{get, chat.PathModels, read, limit.API, smallBody, false},
	{get, chat.PathUsage, read, limit.API, smallBody, false},
	{get, chat.PathLedger, read, limit.API, smallBody, false},

	{get, chat.PathServers, read, limit.API, smallBody, false},
	{put, chat.PathServer, talk, limit.API, serverBody, false},
	{del, chat.PathServer, talk, limit.API, smallBody, false},
	{post, chat.PathServerPinned, talk, limit.API, smallBody, false}, // the agent wants admin for the instance's
	{get, chat.PathServerGrant, talk, limit.API, smallBody, false},   // likewise
	{get, chat.PathServerReturn, talk, limit.API, smallBody, false},

	{get, chat.PathSkills, read, limit.API, smallBody, false},
	{post, chat.PathSkillPinned, talk, limit.API, smallBody, false},

	{post, chat.PathMCP, read, limit.Chat, chatBody, true}, // the agent wants chat for what is sent

	{post, chat.PathCompletions, talk, limit.Chat, modelBody, true},
	{get, chat.PathOpenAIModels, read, limit.API, smallBody, false},
	{get, chat.PathOpenAIModel, read, limit.API, smallBody, false},
}

// routes is every path there is.
func (c *Core) routes() *echo.Echo {
	e := echo.New()
	e.HTTPErrorHandler = onError
	e.Use(c.requestID, c.securityHeaders, c.realIP, c.guardLoopback, c.cors)

	c.get(e, chat.PathHealth, c.health)
	c.get(e, chat.PathReady, c.ready)

	c.get(e, "/", c.page, c.socketInstead)
	c.get(e, "/s/:session", c.page)
	c.get(e, "/assets/*", c.asset)
	for _, name := range []string{"/favicon.ico", "/favicon.svg", "/manifest.webmanifest", "/robots.txt", "/licenses.txt"} {
		c.get(e, name, c.rootFile)
	}

	e.GET(chat.PathSocket, c.socket)
	e.POST(chat.PathLogin, c.redeem)
	e.POST(chat.PathLogout, c.logOut)
	e.POST(chat.PathTickets, c.giveTicket, c.admit(read, limit.API))

	c.get(e, chat.PathServersClient, c.clientDocument)

	for _, r := range forwarded {
		on := func(method, path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) { e.Add(method, path, h, m...) }
		if r.method == get {
			on = func(_, path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) { c.get(e, path, h, m...) }
		}
		before := []echo.MiddlewareFunc{c.admit(r.scope, r.class)}
		if r.path == chat.PathServerReturn {
			before = []echo.MiddlewareFunc{c.comeBack, before[0]}
		}
		on(r.method, r.path, c.forward(r), before...)
	}
	return e
}

// get registers a path for GET and HEAD.
func (c *Core) get(e *echo.Echo, path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) {
	e.GET(path, h, m...)
	e.HEAD(path, h, m...)
}
