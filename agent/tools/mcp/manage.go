package mcp

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Server is a server as the API shows it.
type Server struct {
	Name      string   `json:"name"`
	Scope     string   `json:"scope"`
	Transport string   `json:"transport"`
	Host      string   `json:"host,omitempty"` // where it is reached over HTTP; the rest of an address may be a secret
	State     State    `json:"state"`
	Error     string   `json:"error,omitempty"`
	Authorize bool     `json:"authorize,omitempty"` // GET …/authorize would mend the error
	Protocol  string   `json:"protocol,omitempty"`
	Hash      string   `json:"hash,omitempty"`
	Approved  string   `json:"approvedHash,omitempty"`
	Tools     []Tool   `json:"tools"`
	Changes   []Change `json:"changes,omitempty"`
}

// Tool is a tool as the API shows it: as the model sees it, or would.
type Tool struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	InputSchema json.RawMessage `json:"inputSchema"`
}

// shown is a definition as the API has it.
func (d Definition) shown() Tool {
	schema := d.Schema
	if schema == nil {
		schema = json.RawMessage("{}")
	}
	return Tool{shownTool(d.Tool), d.Description, schema}
}

// List returns a user's servers.
func (s *Source) List(ctx context.Context, user string) ([]Server, error) {
	if err := s.of(user).refresh(ctx); err != nil {
		return nil, storeFault(err)
	}
	out := []Server{}
	for _, one := range s.visible(user) {
		one.wake()
		out = append(out, one.show())
	}
	return out, nil
}

func (s *server) show() Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Server{
		Name: s.name, Scope: s.scope, Transport: string(s.entry.kind()), Host: s.entry.host(), State: s.state, Error: s.err, Authorize: s.authorize, Protocol: s.protocol,
		Hash: s.hash, Approved: s.pin.Hash, Tools: []Tool{},
	}
	for _, d := range s.defs {
		out.Tools = append(out.Tools, d.shown())
	}
	if s.state == Changed {
		out.Changes = changes(s.pin.Seen, s.defs)
		for i, c := range out.Changes {
			out.Changes[i].Was = s.was.of(s.pin.Hash, c)
			out.Changes[i].Tool = shownTool(c.Tool)
		}
	}
	return out
}

// find returns a server by its name.
func (s *Source) find(ctx context.Context, user, name string) (*server, error) {
	if one := s.instance[name]; one != nil {
		return one, nil
	}
	o := s.of(user)
	if err := o.refresh(ctx); err != nil {
		return nil, storeFault(err)
	}
	for _, one := range o.list() {
		if one.name == name {
			return one, nil
		}
	}
	return nil, unknownServer()
}

// Approve approves the definitions of a hash, if they are still those of the server.
// Those of the instance's servers only an administrator approves, for all.
func (s *Source) Approve(ctx context.Context, user string, admin bool, name, hash string) (Server, error) {
	one, err := s.find(ctx, user, name)
	if err != nil {
		return Server{}, err
	}
	if one.scope == ScopeInstance && !admin {
		return Server{}, fault.New(fault.CodeForbidden, "this server is the instance's; approving it needs the scope admin", "ask the owner")
	}
	if err := one.approve(ctx, hash); err != nil {
		return Server{}, err
	}
	if one.scope == ScopeInstance {
		s.of(user) // who approves is told, too
	}
	one.tell(ctx, event{eventApproved, name, hash})
	return one.show(), nil
}

func (s *server) approve(ctx context.Context, hash string) error {
	s.working.Lock()
	defer s.working.Unlock()
	s.mu.Lock()
	defs, now, state := s.defs, s.hash, s.state
	s.mu.Unlock()
	if hash == "" || now != hash || state != Unapproved && state != Changed && state != Ready {
		return fault.New(fault.CodeConflict, "the definitions are not those of this hash now", "look at them again with GET /api/mcp")
	}
	was := approvedOf(hash, defs)
	// Before the pin: what it does not go with is not shown. It decides nothing, so a store
	// that does not take it (of the instance's servers, the one at the edge) hinders nothing.
	if err := s.pins.keep(ctx, s.name, was); err != nil {
		s.env.log.Info("the approved definitions of an MCP server are not kept", slog.String("server", s.name), slog.Any("error", err))
	}
	identity := s.entry.identity()
	pin, err := s.pins.update(ctx, s.name, func(p *Pin) (bool, error) {
		if p.Of == identity && p.Hash == hash && p.Changed == "" {
			return false, nil // approved already
		}
		*p = Pin{Of: identity, Hash: hash, Seen: seen(defs), Version: p.Version + 1, Protocol: p.Protocol}
		return true, nil
	})
	if err != nil {
		return storeFault(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.was = was
	if s.pin = pin; s.hash == hash && !s.stale && s.state != Failed {
		s.state = Ready
	}
	return nil
}

// Put sets up a server of a user's own.
func (s *Source) Put(ctx context.Context, user, name string, e Entry) (Server, error) {
	if err := CheckName(name); err != nil {
		return Server{}, err
	}
	if e.Command != "" || len(e.Args) > 0 || len(e.Env) > 0 || e.Cwd != "" || len(e.Allow) > 0 || e.OAuth != nil {
		return Server{}, fault.New(fault.CodeForbidden, "command, args, env, cwd, allow and oauth are the owner's to set, in the instance's configuration", "give url and headers")
	}
	if s.instance[name] != nil {
		return Server{}, fault.New(fault.CodeConflict, "the instance has a server of this name", "choose another name")
	}
	if err := e.check(s.Private); err != nil {
		return Server{}, err
	}
	headers := e.Headers
	e.Headers = nil
	if s.Egress != nil && len(headers) > 0 {
		return Server{}, fault.New(fault.CodeForbidden, "the headers of a server are not taken here: the gateway keeps them", "send them to the gateway")
	}
	o := s.of(user)
	if s.Egress != nil { // its headers may be others now, and nobody tells
		o.drop(name)
	}
	err := o.change(ctx, func(entries map[string]Entry, secrets map[string]map[string]string) error {
		if _, known := entries[name]; !known && len(entries) >= maxOwned {
			return fault.New(fault.CodeInvalidRequest, "there are 32 servers already", "remove one first")
		}
		entries[name] = e
		delete(secrets, name)
		if len(headers) > 0 {
			secrets[name] = headers
		}
		return nil
	})
	if err != nil {
		return Server{}, storeFault(err)
	}
	s.tell(ctx, user, event{eventSet, name, ""})
	one, err := s.find(ctx, user, name)
	if err != nil {
		return Server{}, err
	}
	return one.settled(ctx), nil
}

// settleTime is how long who sets a server up waits for what becomes of it.
const settleTime = 3 * time.Second

// settled waits a little until a server has been looked at.
func (s *server) settled(ctx context.Context) Server {
	s.wake()
	end := time.Now().Add(settleTime)
	for {
		out := s.show()
		if out.State != Connecting || time.Now().After(end) || ctx.Err() != nil {
			return out
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Remove removes a server of a user's own, its headers, and what was approved of it.
func (s *Source) Remove(ctx context.Context, user, name string) error {
	if s.instance[name] != nil {
		return fault.New(fault.CodeForbidden, "this server is the instance's", "the owner removes it from the instance's configuration")
	}
	one, err := s.find(ctx, user, name)
	if err != nil {
		return err
	}
	err = s.of(user).change(ctx, func(entries map[string]Entry, secrets map[string]map[string]string) error {
		delete(entries, name)
		delete(secrets, name)
		return nil
	})
	if err != nil {
		return storeFault(err)
	}
	if s.Egress == nil {
		if err := s.Bucket.Delete(ctx, grantKey(one.pins.prefix, name)); err != nil {
			return storeFault(err)
		}
	}
	if err := s.Bucket.Delete(ctx, one.pins.approvedKey(name)); err != nil {
		return storeFault(err)
	}
	// The version stays and grows: standing approvals of calls were for what it was.
	_, err = one.pins.update(ctx, name, func(p *Pin) (bool, error) {
		*p = Pin{Version: p.Version + 1}
		return true, nil
	})
	s.tell(ctx, user, event{eventRemoved, name, ""})
	return storeFault(err)
}

// Check connects to every server of the instance and returns what became of each. It
// changes nothing of what is kept, so that a running agent notes a change itself.
func (s *Source) Check(ctx context.Context) []Server {
	all := sorted(s.instance)
	out := make([]Server, len(all))
	var done sync.WaitGroup
	for i, one := range all {
		done.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, lookTime)
			defer cancel()
			if !one.fixed {
				_ = one.lookAnd(ctx, one.approved) // what went wrong is in the state
			}
			out[i] = one.show()
		})
	}
	done.Wait()
	return out
}
