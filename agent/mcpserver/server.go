package mcpserver

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// instructions are what a client's model is told of all the tools.
const instructions = "These tools reach the user's own LoongClaw agent. Send it a message with session_send, then call run_wait until the run has ended; the agent's answer is there. When a run waits for an approval only the user can decide, in the agent's own page."

// maxBody bounds a request: a message of 256 KiB with every character escaped.
const maxBody = 2 << 20

// Server answers requests of the protocol. It keeps no sessions of the protocol, so
// any agent may answer the next request.
type Server struct {
	c       Config
	handler http.Handler
}

// Config is what the tools reach of the agent.
type Config struct {
	Runs    Runs
	Lists   Lists
	Users   Users
	Version string
	Log     *slog.Logger
}

// Runs are the conversations, each by itself.
type Runs interface {
	Start(ctx context.Context, user, id string, q runs.Request) (chat.Run, error)
	Follow(ctx context.Context, user, id, after string) (*runs.Follower, error)
	Session(ctx context.Context, user, id string) (chat.Session, error)
	History(ctx context.Context, user, id string, v runs.View) (chat.History, error)
}

// Lists are what there is of conversations and open questions.
type Lists interface {
	Sessions(ctx context.Context, user, q string) ([]chat.Session, error)
	Approvals(ctx context.Context, user string) ([]chat.Approval, error)
}

// Users know what the agent remembers of each.
type Users interface {
	Get(ctx context.Context, name string) (*users.User, error)
}

// Caller is whose request it is.
type Caller struct {
	User      string
	MayWrite  bool // the scope "chat"
	RequestID string
}

type callerKey struct{}

// New makes a server.
func New(c Config) *Server {
	s := &Server{c: c}
	schemas := sdk.NewSchemaCache()
	s.handler = sdk.NewStreamableHTTPHandler(func(r *http.Request) *sdk.Server {
		caller, _ := r.Context().Value(callerKey{}).(Caller)
		return s.of(caller, schemas)
	}, &sdk.StreamableHTTPOptions{
		Stateless: true, JSONResponse: true, Logger: c.Log, MaxRequestBodyBytes: maxBody, PropagateRequestCancellation: true,
		// The gateway judges the origin and the host of what people send.
		DisableLocalhostProtection: true,
	})
	return s
}

// Serve answers a request of a caller who was let in.
func (s *Server) Serve(c Caller, w http.ResponseWriter, r *http.Request) {
	s.handler.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, c)))
}

// of makes the tools of one caller. They cost little: their schemas are made once.
func (s *Server) of(c Caller, schemas *sdk.SchemaCache) *sdk.Server {
	server := sdk.NewServer(&sdk.Implementation{Name: "loongclaw", Title: "LoongClaw", Version: s.c.Version},
		&sdk.ServerOptions{Instructions: instructions, SchemaCache: schemas})
	t := toolsOf{s.c, c}
	reads := &sdk.ToolAnnotations{ReadOnlyHint: true, OpenWorldHint: new(bool)}
	add(server, "sessions_list", "List the user's conversations, the last used first.", reads, t.sessions)
	add(server, "session_history", "Read the messages of a conversation, oldest first.", reads, t.history)
	add(server, "session_send", "Send a message to the agent, in a conversation of its own unless one is named. It returns at once; call run_wait for the answer.", &sdk.ToolAnnotations{DestructiveHint: new(bool)}, t.send)
	add(server, "run_wait", "Wait until a run has ended or waits for the user, at most 50 seconds, and give its answer. Call it again while the status is running.", reads, t.wait)
	add(server, "memory_search", "Search what the agent remembers about the user.", reads, t.searchMemory)
	add(server, "approvals_list", "List what waits for the user's decision. Only the user can decide, in the agent's page.", reads, t.approvals)
	return server
}

// add adds a tool. An error of it is a result that the client's model reads, with
// what to do next.
func add[In, Out any](server *sdk.Server, name, description string, hints *sdk.ToolAnnotations, do func(context.Context, In) (Out, error)) {
	sdk.AddTool(server, &sdk.Tool{Name: name, Description: description, Annotations: hints}, func(ctx context.Context, _ *sdk.CallToolRequest, in In) (*sdk.CallToolResult, Out, error) {
		out, err := do(ctx, in)
		return nil, out, told(err)
	})
}

// told is an error in the words that a model reads.
func told(err error) error {
	if err == nil {
		return nil
	}
	f := fault.From(err)
	text := string(f.Code) + ": " + f.Message
	if f.Hint != "" {
		text += ". Next: " + f.Hint
	}
	return errors.New(text)
}
