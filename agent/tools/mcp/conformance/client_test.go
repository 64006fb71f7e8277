package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/agent/tools/mcp"
)

const (
	user   = "alice"
	server = "suite" // our name for the suite's server
)

// client is our source of tools with one server in it: what an agent has, without a
// model.
type client struct {
	source *mcp.Source
	box    *tools.Box
	given  given
}

// given is what the suite tells a client beside the server's address.
type given struct {
	ToolCalls []struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	} `json:"toolCalls"`
}

// play is what the suite starts: it does what a scenario wants of a client.
func play(ctx context.Context, scenario, context, address string) error {
	c, end, err := newClient(context, address)
	if err != nil {
		return err
	}
	defer end()
	if err := c.connect(ctx); err != nil {
		return err
	}
	switch scenario {
	case "tools_call":
		return c.call(ctx, "add_numbers", `{"a":5,"b":3}`)
	case "sse-retry":
		return c.call(ctx, "test_reconnection", `{}`)
	case "elicitation-sep1034-client-defaults":
		return c.call(ctx, "test_client_elicitation_defaults", `{}`)
	case "json-schema-2020-12-preservation":
		for _, t := range c.source.Tools(user) {
			if s := t.Spec(); s.Name == "mcp__"+server+"__json_schema_2020_12_tool" {
				return c.call(ctx, "json_schema_echo", `{"schema":`+string(s.Parameters)+`}`)
			}
		}
		return errors.New("the tool whose schema is wanted is not there")
	case "http-custom-headers":
		for _, one := range c.given.ToolCalls {
			_ = c.call(ctx, one.Name, string(one.Arguments)) // the suite judges what was sent
		}
	case "http-standard-headers", "http-invalid-tool-headers", "sep-2322-client-request-state":
		for _, t := range c.source.Tools(user) {
			name := strings.TrimPrefix(t.Spec().Name, "mcp__"+server+"__")
			_ = c.call(ctx, name, `{"region":"us-west1"}`) // the suite judges what was sent
		}
	}
	return nil
}

func newClient(context, address string) (*client, func(), error) {
	c := &client{}
	if context != "" {
		if err := json.Unmarshal([]byte(context), &c.given); err != nil {
			return nil, nil, fmt.Errorf("what the suite gives: %w", err)
		}
	}
	at, err := url.Parse(address)
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp("", "conformance-")
	if err != nil {
		return nil, nil, err
	}
	store, err := disk.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	c.source = mcp.New(mcp.Config{
		Bucket: store, Servers: map[string]mcp.Entry{server: {URL: address}}, Private: map[string]bool{at.Host: true},
		Timeout: 10 * time.Second, Version: "conformance", Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	c.box = tools.New(tools.Config{Catalogs: []tools.Catalog{c.source}})
	return c, func() {
		c.source.Close()
		_ = store.Close()
		_ = os.RemoveAll(dir)
	}, nil
}

// connect connects to the server and approves what it has.
func (c *client) connect(ctx context.Context) error {
	s := c.source.Check(ctx)[0]
	if s.State != mcp.Unapproved {
		return fmt.Errorf("the server is %s: %s", s.State, s.Error)
	}
	_, err := c.source.Approve(ctx, user, true, server, s.Hash)
	return err
}

// call calls a tool as a turn does once the user has said yes.
func (c *client) call(ctx context.Context, tool, args string) error {
	set := c.box.For(user)
	name := "mcp__" + server + "__" + tool
	if !set.Knows(name) {
		var names []string
		for _, s := range set.Specs() {
			names = append(names, s.Name)
		}
		return fmt.Errorf("there is no %s among %s", name, strings.Join(slices.Compact(names), ", "))
	}
	out, err := set.Prepare(name, json.RawMessage(args), tools.Env{User: user, Sight: &tools.Sight{}}).Run(ctx)
	fmt.Fprintf(os.Stderr, "%s %s: %.200q, %v\n", tool, args, out, err)
	return err
}
