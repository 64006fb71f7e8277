package edge

import (
	"net/http"

	"github.com/labstack/echo/v4"

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

// bodies are how long a body may be, where that is more than smallBody.
var bodies = map[string]int64{
	http.MethodPost + " " + chat.PathChat:         chatBody,
	http.MethodPost + " " + chat.PathRuns:         chatBody,
	http.MethodPost + " " + chat.PathMemory:       chatBody,
	http.MethodPost + " " + chat.PathMemoryImport: tarBody,
	http.MethodPut + " " + chat.PathFile:          fileBody,
	http.MethodPut + " " + chat.PathServer:        serverBody,
	http.MethodPost + " " + chat.PathMCP:          chatBody,
	http.MethodPost + " " + chat.PathCompletions:  modelBody,
}

func maxBody(r chat.Route) int64 {
	if n, ok := bodies[r.String()]; ok {
		return n
	}
	return smallBody
}

// routes is every path there is: the page, and the rows of chat.Routes.
func (c *Core) routes() *echo.Echo {
	e := echo.New()
	e.HTTPErrorHandler = onError
	e.Use(c.before)

	c.get(e, "/", c.page, c.socketInstead)
	for _, place := range []string{"/s/:session", chat.PageTools, chat.PageTools + "/:name", "/skills/:name", "/needs-you", "/settings"} {
		c.get(e, place, c.page)
	}
	c.get(e, "/assets/*", c.asset)
	for _, name := range []string{"/favicon.ico", "/favicon.svg", "/manifest.webmanifest", "/robots.txt", "/licenses.txt"} {
		c.get(e, name, c.rootFile)
	}

	own := map[string]echo.HandlerFunc{
		chat.PathHealth: c.health, chat.PathReady: c.ready,
		chat.PathServersClient: c.clientDocument,
		chat.PathLogin:         c.redeem, chat.PathLogout: c.logOut, chat.PathTickets: c.giveTicket, chat.PathSocket: c.socket,
	}
	for _, r := range chat.Routes() {
		h := own[r.Path]
		if r.Forwarded() {
			h = c.forward(r)
		}
		switch {
		case r.Path == chat.PathServerReturn: // a browser that comes from elsewhere
			c.get(e, r.Path, c.comeBack(c.admit(r, h)))
		case r.Path == chat.PathSocket: // a ticket lets in, too, and HEAD opens none
			e.GET(r.Path, h)
		case r.Method == http.MethodGet:
			c.get(e, r.Path, c.admit(r, h))
		default:
			e.Add(r.Method, r.Path, c.admit(r, h))
		}
	}
	return e
}

// get registers a path for GET and HEAD.
func (c *Core) get(e *echo.Echo, path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) {
	e.GET(path, h, m...)
	e.HEAD(path, h, m...)
}
