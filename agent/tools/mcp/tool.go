package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// MaxResult is how much of a result a model sees, in bytes.
const MaxResult = 1<<20 - 1<<10 // with the words that say that it was cut, what is kept of a result

// tool is one tool under the definitions that were approved when it was offered.
type tool struct {
	server  *server
	def     Definition
	hash    string
	version int
}

var _ tools.Tool = tool{}

// Spec describes the tool in its server's words.
func (t tool) Spec() loop.Spec {
	return loop.Spec{Name: t.def.Name, Description: t.def.Description, Parameters: t.def.Schema}
}

// ReadOnly is false whatever a server says of its tool.
func (tool) ReadOnly() bool { return false }

// Foreign is true: what a server answers others have written.
func (tool) Foreign() bool { return true }

// Outside says that what the tool answers came from elsewhere, where anybody may
// have written it.
func (tool) Outside() {}

// DefinedBy names the server, whose owner wrote the definition.
func (t tool) DefinedBy() string {
	return "what the MCP server " + t.server.name + " says of its tools"
}

// SourceOf is where an answer comes from, for people.
func (t tool) SourceOf(json.RawMessage) string {
	return "MCP server " + t.server.name + ", tool " + t.def.Tool
}

// Limit is how long a call may take, with what it may take to connect again.
func (t tool) Limit() time.Duration { return t.server.env.timeout + lookTime }

// MaxOutput is how long the output may be.
func (tool) MaxOutput() int { return MaxResult }

// Judge lets a call of a tool that the owner listed run, and asks for every other.
// The scope of an approval names the definitions under which it was given, so it
// ends with them.
func (t tool) Judge(json.RawMessage, tools.Env) tools.Verdict {
	if v := t.server.view(); v.state != Ready || v.hash != t.hash || v.version != t.version {
		return tools.Verdict{Kind: tools.VerdictDeny, Reason: notReady(t.server.name)}
	}
	if slices.Contains(t.server.entry.Allow, t.def.Tool) {
		return tools.Verdict{Kind: tools.VerdictRun}
	}
	return tools.Verdict{Kind: tools.VerdictAsk, Scope: fmt.Sprintf("%s (%s definitions %.12s, version %d)", t.def.Name, t.server.scope, t.hash, t.version)}
}

func notReady(server string) string {
	return "the tools of the MCP server " + server + " are not what was approved; nothing of it runs until the user has looked at it (GET /api/mcp)"
}

// Run calls the tool. The definitions are read again before: a server that has
// changed one gets no call until somebody has approved it.
func (t tool) Run(ctx context.Context, args json.RawMessage, _ tools.Env) (string, error) {
	conn, err := t.ready(ctx)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, t.server.env.timeout)
	defer cancel()
	res, err := conn.call(ctx, t.def.Tool, args)
	if err != nil {
		return "", t.trouble(err)
	}
	if res.NeedsInput() {
		return "", fault.New(fault.CodeInvalidRequest, "the MCP server asks for more input before it does this, which this agent does not give", "call the tool with all that it needs")
	}
	text := words(res)
	if res.IsError {
		return "", fault.New(fault.CodeInvalidRequest, "the tool says that it failed: "+clip(text, 16<<10), "")
	}
	return text, nil
}

// ready returns a connection to a server whose definitions are still those under
// which the call was judged.
func (t tool) ready(ctx context.Context) (*connection, error) {
	s := t.server
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	if err := s.look(ctx); err != nil {
		return nil, t.trouble(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != Ready || s.hash != t.hash || s.pin.Version != t.version || s.conn == nil {
		return nil, fault.New(fault.CodeForbidden, notReady(s.name), "")
	}
	return s.conn, nil
}

func (t tool) trouble(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	why, authorize := forUser(t.server.name, err)
	t.server.lacks(why, authorize)
	next := "try again later, or another way"
	if authorize {
		next = "only the user can do that; go on without, or ask them"
	}
	return fault.New(fault.CodeUnavailable, "the MCP server "+t.server.name+" did not do it: "+why, next)
}

// words is a result as text: what is no text is named.
func words(res *sdk.CallToolResult) string {
	var parts []string
	for _, c := range res.Content {
		switch c := c.(type) {
		case *sdk.TextContent:
			parts = append(parts, c.Text)
		case *sdk.ImageContent:
			parts = append(parts, fmt.Sprintf("[an image, %.64s, %d bytes]", c.MIMEType, len(c.Data)))
		case *sdk.AudioContent:
			parts = append(parts, fmt.Sprintf("[a sound, %.64s, %d bytes]", c.MIMEType, len(c.Data)))
		case *sdk.ResourceLink:
			parts = append(parts, fmt.Sprintf("[a resource: %.200s %.2000s]", c.Name, c.URI))
		case *sdk.EmbeddedResource:
			parts = append(parts, embedded(c.Resource))
		default:
			parts = append(parts, "[something that this agent does not know]")
		}
	}
	if len(parts) == 0 && res.StructuredContent != nil {
		if b, err := json.Marshal(res.StructuredContent); err == nil {
			parts = append(parts, string(b))
		}
	}
	return strings.Join(parts, "\n")
}

func embedded(r *sdk.ResourceContents) string {
	switch {
	case r == nil:
		return "[an empty resource]"
	case r.Text != "" || len(r.Blob) == 0:
		return fmt.Sprintf("[the resource %.2000s]\n%s", r.URI, r.Text)
	}
	return fmt.Sprintf("[the resource %.2000s, %.64s, %d bytes]", r.URI, r.MIMEType, len(r.Blob))
}
