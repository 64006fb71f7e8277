package chat

// The scopes of a credential. Each includes those before it.
const (
	ScopeRead  = "read"
	ScopeChat  = "chat"
	ScopeAdmin = "admin"
)

// The classes of a user's limits. Each has its own count.
const (
	LimitChat = "chat" // what starts a run
	LimitAPI  = "api"  // everything else
)

// By is who answers a route.
type By int

// Who answers. On Workers what the agent answers may wake its container, and nothing
// else does.
const (
	ByGateway By = iota
	ByAgent
	ByAgentStream // its answer may take as long as a model does, or as its reader stays
)

// Route is a public route of the HTTP API.
type Route struct {
	Method, Path string
	Scope        string // what a credential must have; empty: anybody may ask
	Limit        string // the class that a request counts in; empty where Scope is
	By           By
}

// String names a route as the documentation does.
func (r Route) String() string { return r.Method + " " + r.Path }

// Forwarded reports whether the agent answers.
func (r Route) Forwarded() bool { return r.By != ByGateway }

// Streams reports whether the answer may last.
func (r Route) Streams() bool { return r.By == ByAgentStream }

// OnlyReads reports whether a request can change nothing: whoever may only read may send it,
// and the agent answers. That it is a GET is not enough: a return from a sign-in is one.
func (r Route) OnlyReads() bool { return r.Method == get && r.Scope == read && r.Forwarded() }

const (
	get, post, put, patch, del = "GET", "POST", "PUT", "PATCH", "DELETE"

	anybody, none = "", ""
	read, talk    = ScopeRead, ScopeChat
)

// Routes returns every route of the API; what a GET answers a HEAD answers, too. The page
// and its files are the gateway's own, and none of it. The routers of gateway and agent
// are made of these rows, and docs/PROTOCOL.md is held to them.
func Routes() []Route {
	return []Route{
		{get, PathHealth, anybody, none, ByGateway},
		{get, PathReady, anybody, none, ByGateway},
		{post, PathLogin, anybody, none, ByGateway},
		{post, PathLogout, anybody, none, ByGateway},
		{post, PathTickets, read, LimitAPI, ByGateway},
		{get, PathSocket, read, LimitAPI, ByGateway}, // its frames are requests of their own

		{post, PathChat, talk, LimitChat, ByAgentStream},
		{get, PathHistory, read, LimitAPI, ByAgent},
		{get, PathHistoryOf, read, LimitAPI, ByAgent},
		{del, PathHistory, talk, LimitAPI, ByAgent},
		{del, PathHistoryOf, talk, LimitAPI, ByAgent},

		{get, PathSessions, read, LimitAPI, ByAgent},
		{get, PathList, read, LimitAPI, ByAgentStream},
		{get, PathSession, read, LimitAPI, ByAgent},
		{patch, PathSession, talk, LimitAPI, ByAgent},
		{del, PathSession, talk, LimitAPI, ByAgent},
		{post, PathRuns, talk, LimitChat, ByAgent},
		{get, PathEvents, read, LimitAPI, ByAgentStream},
		{get, PathAttached, read, LimitAPI, ByAgent},
		{post, PathCancel, talk, LimitAPI, ByAgent},
		{post, PathRegenerate, talk, LimitChat, ByAgent},
		{get, PathApprovals, read, LimitAPI, ByAgent},
		{post, PathApproval, talk, LimitAPI, ByAgent},

		{get, PathMemorySearch, read, LimitAPI, ByAgent},
		{get, PathMemoryExport, read, LimitAPI, ByAgent},
		{post, PathMemoryImport, talk, LimitAPI, ByAgent},
		{post, PathMemory, talk, LimitAPI, ByAgent},
		{del, PathMemoryItem, talk, LimitAPI, ByAgent},

		{get, PathFiles, read, LimitAPI, ByAgent},
		{get, PathFile, read, LimitAPI, ByAgent},
		{put, PathFile, talk, LimitAPI, ByAgent},
		{del, PathFile, talk, LimitAPI, ByAgent},

		{get, PathStats, read, LimitAPI, ByAgent},
		{get, PathConfig, read, LimitAPI, ByAgent},
		{get, PathTools, read, LimitAPI, ByAgent},
		{get, PathModels, read, LimitAPI, ByAgent},
		{get, PathUsage, read, LimitAPI, ByAgent},
		{get, PathLedger, read, LimitAPI, ByAgent},

		{get, PathServers, read, LimitAPI, ByAgent},
		{put, PathServer, talk, LimitAPI, ByAgent},
		{del, PathServer, talk, LimitAPI, ByAgent},
		{post, PathServerPinned, talk, LimitAPI, ByAgent}, // the agent wants admin for the instance's
		{get, PathServerGrant, talk, LimitAPI, ByAgent},   // likewise
		{get, PathServerReturn, talk, LimitAPI, ByAgent},
		{get, PathServersClient, anybody, none, ByGateway},

		{get, PathSkills, read, LimitAPI, ByAgent},
		{post, PathSkillPinned, talk, LimitAPI, ByAgent},
		{post, PathMCP, read, LimitChat, ByAgentStream}, // the agent wants chat for what is sent

		{post, PathCompletions, talk, LimitChat, ByAgentStream},
		{get, PathOpenAIModels, read, LimitAPI, ByAgent},
		{get, PathOpenAIModel, read, LimitAPI, ByAgent},
	}
}
