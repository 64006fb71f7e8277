package httpapi

import (
	"net/http"
	"reflect"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// The methods that the table below is written with.
const (
	get, post, put, patch, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete
)

// route is one thing that the agent answers, and how. Who may ask stands in
// chat.Routes, of which the gateway is made, too.
type route struct {
	method, path string
	answer
}

// scopes returns what a pass must have for each route; nothing for those that whoever
// reaches the port may ask.
func scopes() map[string]string {
	all := map[string]string{get + " " + activePath: ""} // for whoever keeps this process; no gateway forwards it
	for _, r := range chat.Routes() {
		all[r.String()] = r.Scope
	}
	return all
}

// table lists everything that the agent answers.
func (s *Server) table() []route {
	return []route{
		{get, chat.PathHealth, tells(s.health)},
		{get, chat.PathReady, tells(s.isReady)},
		{get, activePath, tells(s.active)},

		{post, chat.PathChat, takes(s.chat).orStream()},
		{get, chat.PathHistory, tells(s.history)},
		{get, chat.PathHistoryOf, tells(s.history)},
		{del, chat.PathHistory, tells(s.clear)},
		{del, chat.PathHistoryOf, tells(s.clear)},

		{get, chat.PathSessions, tells(s.sessions).tagged()},
		{get, chat.PathList, streams(s.list)},
		{get, chat.PathSession, tells(s.session)},
		{patch, chat.PathSession, takes(s.updateSession)},
		{del, chat.PathSession, tells(s.deleteSession)},
		{post, chat.PathRuns, takes(s.start).as(http.StatusAccepted)},
		{get, chat.PathEvents, tells(s.events).orStream()},
		{get, chat.PathAttached, writes(attached(s.Runs))},
		{post, chat.PathCancel, takesOptional(s.cancel)},
		{post, chat.PathRegenerate, takesOptional(s.regenerate).as(http.StatusAccepted)},
		{get, chat.PathApprovals, tells(s.approvals).tagged()},
		{post, chat.PathApproval, takes(s.approve)},

		{get, chat.PathMemorySearch, tells(s.searchMemory)},
		{get, chat.PathMemoryExport, writes(s.exportMemory)},
		{post, chat.PathMemory, takes(s.saveMemory).as(http.StatusCreated)},
		{post, chat.PathMemoryImport, tells(s.importMemory)},
		{del, chat.PathMemoryItem, tells(s.forgetMemory)},

		{get, chat.PathFiles, tells(s.listFiles)},
		{get, chat.PathFile, writes(s.readFile)},
		{put, chat.PathFile, tells(s.writeFile)},
		{del, chat.PathFile, tells(s.removeFile)},

		{get, chat.PathStats, tells(s.stats)},
		{get, chat.PathConfig, tells(s.config)},
		{get, chat.PathTools, tells(s.tools)},
		{get, chat.PathModels, tells(s.models)},
		{get, chat.PathUsage, tells(s.usage)},
		{get, chat.PathLedger, tells(s.ledger)},

		{get, chat.PathServers, tells(s.listServers)},
		{put, chat.PathServer, takes(s.setServer)},
		{del, chat.PathServer, writes(s.removeServer).as(http.StatusNoContent)},
		{post, chat.PathServerPinned, takes(s.approveServer)},
		{get, chat.PathServerGrant, writes(s.authorizeServer).as(http.StatusFound)},
		{get, chat.PathServerReturn, writes(s.serverAuthorized)},

		{get, chat.PathSkills, tells(s.listSkills)},
		{post, chat.PathSkillPinned, takes(s.approveSkill)},

		{post, chat.PathMCP, streams(s.mcp)}, // whose messages package mcpserver has

		// In the form of OpenAI's clients: package openai has the bodies.
		{post, chat.PathCompletions, streams(s.complete)},
		{get, chat.PathOpenAIModels, tells(s.openAIModels)},
		{get, chat.PathOpenAIModel, tells(s.openAIModel)},
	}
}

// routes makes the table known to echo.
func (s *Server) routes() {
	if s.Seen != nil {
		s.echo.Use(s.watch)
	}
	needs := scopes()
	for _, r := range s.table() {
		scope, known := needs[r.method+" "+r.path]
		if !known {
			panic("httpapi: " + r.method + " " + r.path + " is no route of the API: nobody says who may ask")
		}
		var guards []echo.MiddlewareFunc // not groups: echo's would answer unknown paths and methods themselves
		if scope != "" {
			guards = append(guards, s.let(scope))
		}
		paths := []string{r.path}
		if fault.DialectOf(r.path) == fault.OpenAI && !strings.HasSuffix(r.path, "*") {
			// OpenAI's clients join paths to an address that somebody typed, so theirs
			// may end in a slash.
			paths = append(paths, r.path+"/")
		}
		for _, path := range paths {
			s.echo.Add(r.method, path, r.serve, guards...)
			if r.stream {
				s.streams[path] = true
			}
		}
	}
}

// answer is how a request becomes its answer. The types of both bodies are those of
// the handler.
type answer struct {
	body   reflect.Type // of the request, where that is JSON
	tells  reflect.Type // of the answer, where that is JSON
	status int
	stream bool // it may take as long as a model does, or as its reader stays
	tag    bool // a client that has the same already is told so
	handle func(echo.Context) (any, error)
}

// tells answers with JSON. What the request says is in its path and its query, or
// is a body that the handler reads.
func tells[A any](handle func(echo.Context) (A, error)) answer {
	return answer{tells: reflect.TypeFor[A](), status: http.StatusOK, handle: func(c echo.Context) (any, error) { return handle(c) }}
}

// takes reads a body of JSON and answers with JSON.
func takes[B, A any](handle func(echo.Context, B) (A, error)) answer {
	return readsBy(body, handle)
}

// takesOptional does so, too, where there need not be a body.
func takesOptional[B, A any](handle func(echo.Context, B) (A, error)) answer {
	return readsBy(optionalBody, handle)
}

func readsBy[B, A any](reads func(echo.Context, any) error, handle func(echo.Context, B) (A, error)) answer {
	a := tells(func(c echo.Context) (out A, err error) {
		var b B
		if err := reads(c, &b); err != nil {
			return out, err
		}
		return handle(c, b)
	})
	a.body = reflect.TypeFor[B]()
	return a
}

// writes answers with what the handler writes, or with nothing.
func writes(handle func(echo.Context) error) answer {
	return answer{status: http.StatusOK, handle: func(c echo.Context) (any, error) { return nil, handle(c) }}
}

// streams answers with events.
func streams(handle func(echo.Context) error) answer {
	return writes(handle).orStream()
}

// as answers with another status than 200.
func (a answer) as(status int) answer {
	a.status = status
	return a
}

// tagged answers with 304 where the client has the same already.
func (a answer) tagged() answer {
	a.tag = true
	return a
}

// orStream answers with events where the handler has begun them.
func (a answer) orStream() answer {
	a.stream = true
	return a
}

// serve answers a request.
func (a answer) serve(c echo.Context) error {
	out, err := a.handle(c)
	switch {
	case err != nil:
		return err
	case c.Response().Committed:
		return nil // by the handler
	case a.status == http.StatusNoContent:
		return c.NoContent(a.status)
	case a.tells == nil:
		return nil // the handler had no answer, and so there is none
	case a.tag:
		return tagged(c, out)
	}
	return c.JSON(a.status, out)
}
