package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// maxApproved bounds what is kept of approved definitions, in bytes of all of a
// server's. It is there to be compared with, by somebody who reads it.
const maxApproved = 1 << 20

// approvedTools is the definitions of a server as somebody saw and approved them. A
// pin has only hashes of them: enough to know that a server has changed, and not
// enough to show how.
type approvedTools struct {
	Hash  string          `json:"hash"` // of all definitions, as in the pin
	Tools map[string]Tool `json:"tools"`
}

// approvedOf returns what is kept of definitions; those beyond the bound are not.
func approvedOf(hash string, defs []Definition) approvedTools {
	out := approvedTools{hash, map[string]Tool{}}
	left := maxApproved
	for _, d := range defs {
		t := d.shown()
		if left -= len(d.Tool) + len(t.Name) + len(t.Description) + len(t.InputSchema); left < 0 {
			break
		}
		out.Tools[d.Tool] = t
	}
	return out
}

// of returns the tool of a change as it was approved under a hash, or nil where that
// is not known.
func (a approvedTools) of(hash string, c Change) *Tool {
	t, known := a.Tools[c.Tool]
	if !known || a.Hash != hash || c.What == Added {
		return nil
	}
	return &t
}

// approvedKey is where the approved definitions of a server are kept.
func (p pins) approvedKey(server string) string {
	return p.prefix + "config/mcp-approved/" + bucket.Segment(server)
}

// keep writes what was approved. The last one who approves is right, as with the pin.
func (p pins) keep(ctx context.Context, server string, a approvedTools) error {
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, err = p.bucket.Put(ctx, p.approvedKey(server), body)
	return err
}

// remembered returns what was approved of a server whose definitions are others now.
// Without it a change is only named, so a store that does not give it hinders nothing.
func (s *server) remembered(ctx context.Context, hash string, pin Pin) (was approvedTools) {
	s.mu.Lock()
	known := s.was
	s.mu.Unlock()
	if pin.Hash == "" || pin.Hash == hash || known.Hash == pin.Hash {
		return known
	}
	o, err := s.pins.bucket.Get(ctx, s.pins.approvedKey(s.name))
	if err == nil {
		err = json.Unmarshal(o.Body, &was)
	}
	if err != nil && !errors.Is(err, bucket.ErrNotFound) {
		s.env.log.Warn("the approved definitions of an MCP server cannot be read", slog.String("server", s.name), slog.Any("error", err))
	}
	return was
}
