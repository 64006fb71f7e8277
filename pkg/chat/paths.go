package chat

// The paths of the HTTP API, as echo patterns. Gateway and agent both route by
// these, so that neither can drift from the other.
const (
	PathHealth       = "/health"
	PathReady        = "/ready"
	PathStats        = "/api/stats"
	PathConfig       = "/api/config"
	PathChat         = "/api/chat"
	PathHistory      = "/api/history"
	PathHistoryOf    = "/api/history/:session"
	PathMemorySearch = "/api/memory/search"
	PathMemoryExport = "/api/memory/export"
	PathMemoryImport = "/api/memory/import"
	PathMemory       = "/api/memory"
	PathMemoryItem   = "/api/memory/:id"
	PathSessions     = "/api/sessions"
	PathSession      = "/api/sessions/:session"
	PathList         = "/api/sessions/stream"
	PathRuns         = "/api/sessions/:session/runs"
	PathEvents       = "/api/sessions/:session/events"
	PathAttached     = "/api/sessions/:session/attached/:hash"
	PathCancel       = "/api/sessions/:session/cancel"
	PathRegenerate   = "/api/sessions/:session/regenerate"
	PathApprovals    = "/api/approvals"
	PathApproval     = "/api/approvals/:id"
	PathFiles        = "/api/files"
	PathFile         = "/api/files/*"
	PathTools        = "/api/tools"
	PathModels       = "/api/models"
	PathUsage        = "/api/usage"
	PathLedger       = "/api/ledger"
	PathServers      = "/api/mcp"
	PathServer       = "/api/mcp/:name"
	PathServerPinned = "/api/mcp/:name/approve"
	PathSkills       = "/api/skills"
	PathSkillPinned  = "/api/skills/:name/approve"
	PathServerGrant  = "/api/mcp/:name/authorize"
	PathServerReturn = "/api/mcp/callback"
	// PageTools is where the gateway's page shows the servers; below it, one by its name.
	PageTools = "/tools"
	// PathServersClient is a document for authorization servers.
	PathServersClient = "/api/mcp/client.json"
	PathLogin         = "/api/login"
	PathLogout        = "/api/logout"
	PathTickets       = "/api/tickets"
	PathSocket        = "/ws"

	// PathMCP is where clients of the Model Context Protocol reach the agent.
	PathMCP = "/mcp"

	// The OpenAI-compatible paths.
	PathCompletions  = "/v1/chat/completions"
	PathOpenAIModels = "/v1/models"
	PathOpenAIModel  = "/v1/models/*"
)

// Headers of the contract.
const (
	HeaderIdempotencyKey = "Idempotency-Key"
	HeaderLastEventID    = "Last-Event-ID"
	HeaderRequestID      = "X-Request-Id"
	// HeaderListCursor is where the stream of a list goes on after the list.
	HeaderListCursor = "X-List-Cursor"
	// HeaderPass carries the signed pass from gateway to agent (package pass).
	HeaderPass = "X-LoongClaw-Pass" //nolint:gosec // a name, no credential
	// HeaderPublicPort tells the agent on which port clients see the gateway,
	// for /api/config.
	HeaderPublicPort = "X-LoongClaw-Public-Port"
	// HeaderPublicURL tells the agent under which address people reach the gateway,
	// for those who are to be sent back to it.
	HeaderPublicURL = "X-LoongClaw-Public-Url"
)
