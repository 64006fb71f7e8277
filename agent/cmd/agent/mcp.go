package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/tools/mcp"
	"github.com/loongclaw/loongclaw/telemetry/program"
)

// serversKey is where the instance's MCP servers are in the store, when MCP_CONFIG
// names no file.
const serversKey = "config/mcp.json"

// maxServers bounds the configuration of MCP servers, in bytes.
const maxServers = 1 << 20

// mcpConfig reads which MCP servers the instance has.
func mcpConfig(ctx context.Context, c config, store bucket.Bucket, window int, log *slog.Logger) (mcp.Config, error) {
	limits := shellLimits()
	out := mcp.Config{
		Bucket: store, Lookup: os.LookupEnv, Private: c.mcpPrivate, Timeout: c.mcpTimeout,
		Programs: &mcp.Programs{Path: os.Getenv("PATH"), Adopts: limits.Adopts, Confine: limits.Confine},
		Window:   window, Version: program.Version(version), Log: log, Now: time.Now,
	}
	var err error
	switch {
	case c.MCPEgress != "":
		out.Programs, out.Egress = nil, &mcp.Egress{URL: c.MCPEgress, Mark: c.mark}
		var unread string
		if out.Servers, out.Faults, unread, err = out.Egress.Instance(ctx); unread != "" {
			log.Warn("the instance's MCP servers are left out", slog.String("why", unread))
		}
		return out, err
	case c.WebEgress != "" || c.egress != nil:
		out.Programs, out.Closed = nil, "MCP servers are not reached from this host: what leaves it goes through an egress proxy that does not lead to them"
	}
	out.Servers, err = readServers(ctx, c, store)
	return out, err
}

func readServers(ctx context.Context, c config, store bucket.Bucket) (map[string]mcp.Entry, error) {
	var body []byte
	from := serversFrom(c)
	if c.MCPConfig != "" {
		var err error
		if body, err = os.ReadFile(c.MCPConfig); err != nil {
			return nil, fmt.Errorf("MCP_CONFIG: %w\nNext: name a file that can be read, or leave it out", err)
		}
	} else {
		o, err := store.Get(ctx, serversKey)
		if errors.Is(err, bucket.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", from, err)
		}
		body = o.Body
	}
	if len(body) > maxServers {
		return nil, fmt.Errorf("%s is larger than 1 MiB", from)
	}
	servers, err := mcp.ParseFile(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w\nNext: mend it; docs/CONFIGURATION.md shows the form", from, err)
	}
	return servers, nil
}

// mcpSecrets are the values that entries of MCP servers may take from the
// environment.
func mcpSecrets() []string {
	var out []string
	for _, v := range os.Environ() {
		name, value, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, "MCP_") && name != "MCP_CONFIG" && name != "MCP_TIMEOUT" && name != "MCP_PRIVATE_HOSTS" && name != "MCP_DOOR_URL" && len(value) >= 6 {
			out = append(out, value)
		}
	}
	return out
}

// tryServers connects to each of the instance's MCP servers and says what came of it:
// one that the owner named must be there, and the rest is for a person to do.
func tryServers(ctx context.Context, c config) (lines []string, err error) {
	if c.MCPEgress != "" {
		return []string{"MCP servers: not tried, since the egress proxy has their secrets; GET /api/mcp says how each is"}, nil
	}
	store, closeStore, err := openStore(ctx, c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	config, err := mcpConfig(ctx, c, store, 0, nil)
	if err != nil || len(config.Servers) == 0 {
		return nil, err
	}
	source := mcp.New(config)
	defer source.Close()
	var faults []error
	for _, s := range source.Check(ctx) {
		line := fmt.Sprintf("MCP server %s: %d tools over %s, revision %s", s.Name, len(s.Tools), s.Transport, s.Protocol)
		switch {
		case s.Authorize:
			lines = append(lines, "MCP server "+s.Name+": "+s.Error)
		case s.State == mcp.Failed:
			faults = append(faults, fmt.Errorf("MCP server %s: %s\nNext: mend its entry in %s, or the server, or take the entry out; the agent starts without the server", s.Name, s.Error, serversFrom(c)))
		case s.State == mcp.Unapproved:
			lines = append(lines, line+"; nobody has approved them yet: look at GET /api/mcp, then POST /api/mcp/"+s.Name+"/approve")
		case s.State == mcp.Changed:
			lines = append(lines, line+"; they are not what was approved: look at their changes in GET /api/mcp, then POST /api/mcp/"+s.Name+"/approve")
		default:
			lines = append(lines, line)
		}
	}
	return lines, errors.Join(faults...)
}

// serversFrom is where the instance's MCP servers are configured.
func serversFrom(c config) string {
	if c.MCPConfig != "" {
		return "MCP_CONFIG"
	}
	return serversKey + " in the store"
}
