package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
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
	// maxTries is how often this person gives an authorization that changes nothing.
	maxTries = 2
)

// applicant is what the suite knows its clients as.
var applicant = mcp.Applicant{Callback: "http://localhost:3000/callback", ClientID: "https://conformance-test.local/client-metadata.json"}

// client is our source of tools with one server in it: what an agent has, without a
// model.
type client struct {
	source *mcp.Source
	box    *tools.Box
	given  given
}

// given is what the suite tells a client beside the server's address.
type given struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	ToolCalls    []struct {
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
	if strings.HasPrefix(scenario, "auth/") {
		return c.callAuthorized(ctx, "test-tool")
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
	entry := mcp.Entry{URL: address}
	if c.given.ClientID != "" {
		entry.OAuth = &mcp.Client{ClientID: c.given.ClientID, ClientSecret: c.given.ClientSecret}
	}
	c.source = mcp.New(mcp.Config{
		Bucket: store, Servers: map[string]mcp.Entry{server: entry}, Private: private(at.Hostname()),
		Timeout: 10 * time.Second, Version: "conformance", Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	c.box = tools.New(tools.Config{Catalogs: []tools.Catalog{c.source}})
	return c, func() {
		c.source.Close()
		_ = store.Close()
		_ = os.RemoveAll(dir)
	}, nil
}

// private lets the client reach every port of the suite's host: which of them are its
// authorization servers it says later.
func private(host string) map[string]bool {
	out := make(map[string]bool, 1<<16)
	for port := range 1 << 16 {
		out[fmt.Sprintf("%s:%d", host, port)] = true
	}
	return out
}

// connect connects to the server, authorized where it wants that, and approves what it
// has.
func (c *client) connect(ctx context.Context) error {
	s := c.source.Check(ctx)[0]
	for tries := 0; s.Authorize && tries < maxTries; tries++ {
		if err := c.authorize(ctx); err != nil {
			return err
		}
		s = c.source.Check(ctx)[0]
	}
	if s.State != mcp.Unapproved {
		return fmt.Errorf("the server is %s: %s", s.State, s.Error)
	}
	_, err := c.source.Approve(ctx, user, true, server, s.Hash)
	return err
}

// authorize gives the agent what the server wants, as a person in a browser does. The
// suite's authorization servers send everybody back at once.
func (c *client) authorize(ctx context.Context) error {
	address, err := c.source.Authorize(ctx, user, true, server, applicant)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := browser.Do(request)
	if err != nil {
		return err
	}
	_ = answer.Body.Close() // only its head is wanted
	back, err := answer.Location()
	if err != nil {
		return err
	}
	_, err = c.source.Authorized(ctx, user, back.Query())
	return err
}

// callAuthorized calls a tool, and once more when the server wants more rights for it.
func (c *client) callAuthorized(ctx context.Context, tool string) error {
	err := c.call(ctx, tool, `{}`)
	for range maxTries {
		if err == nil || !c.wantsMore(ctx) {
			return err
		}
		if err := c.authorize(ctx); err != nil {
			return err
		}
		if s := c.source.Check(ctx)[0]; s.State != mcp.Ready {
			return fmt.Errorf("the server is %s: %s", s.State, s.Error)
		}
		err = c.call(ctx, tool, `{}`)
	}
	return err
}

// wantsMore reports whether the server has said that an authorization would help.
func (c *client) wantsMore(ctx context.Context) bool {
	list, err := c.source.List(ctx, user)
	return err == nil && list[0].Authorize
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
