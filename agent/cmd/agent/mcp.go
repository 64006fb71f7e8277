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
	servers, err := readServers(ctx, c, store)
	if err != nil {
		return mcp.Config{}, err
	}
	limits := shellLimits()
	out := mcp.Config{
		Bucket: store, Servers: servers, Lookup: os.LookupEnv, Private: c.mcpPrivate, Timeout: c.mcpTimeout,
		Programs: &mcp.Programs{Path: os.Getenv("PATH"), Adopts: limits.Adopts, Confine: limits.Confine},
		Window:   window, Version: program.Version(version), Log: log, Now: time.Now,
	}
	if c.WebEgress != "" || c.egress != nil {
		out.Programs, out.Closed = nil, "MCP servers are not reached from this host yet: what leaves it goes through the egress proxy"
	}
	return out, nil
}

func readServers(ctx context.Context, c config, store bucket.Bucket) (map[string]mcp.Entry, error) {
	var body []byte
	from := serversKey + " in the store"
	if c.MCPConfig != "" {
		from = "MCP_CONFIG"
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
		if strings.HasPrefix(name, "MCP_") && name != "MCP_CONFIG" && name != "MCP_TIMEOUT" && name != "MCP_PRIVATE_HOSTS" && len(value) >= 6 {
			out = append(out, value)
		}
	}
	return out
}
