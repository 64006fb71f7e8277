package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// Pin is what was approved of a server.
type Pin struct {
	Of   string          `json:"of"`             // the server's identity, so that another one of its name has no approval
	Hash string          `json:"hash,omitempty"` // of the approved definitions; empty: none are
	Seen map[string]Seen `json:"tools,omitempty"`
	// Version grows with every change that was seen and every approval. It is part of
	// the scope that a standing approval of a call is for, so a change ends those even
	// when the server goes back to what was approved.
	Version  int    `json:"version"`
	Changed  string `json:"changed,omitempty"`  // the other definitions for which Version has grown already
	Protocol string `json:"protocol,omitempty"` // the revision that the server took last
}

// Seen is the hashes of one tool's parts, by which a change is told.
type Seen struct {
	Description string `json:"description"`
	Schema      string `json:"schema"`
}

func seen(defs []Definition) map[string]Seen {
	out := make(map[string]Seen, len(defs))
	for _, d := range defs {
		out[d.Tool] = Seen{d.text, d.form}
	}
	return out
}

// pins keeps a scope's pins in the store.
type pins struct {
	bucket bucket.Bucket
	prefix string
}

func (p pins) key(server string) string {
	return p.prefix + "config/mcp-pins/" + bucket.Segment(server)
}

func (p pins) read(ctx context.Context, server string) (pin Pin, etag string, err error) {
	o, err := p.bucket.Get(ctx, p.key(server))
	if errors.Is(err, bucket.ErrNotFound) {
		return Pin{}, "", nil
	}
	if err != nil {
		return Pin{}, "", err
	}
	if err := json.Unmarshal(o.Body, &pin); err != nil {
		return Pin{}, "", fmt.Errorf("the pin of the MCP server %s cannot be read: %w", server, err)
	}
	return pin, o.ETag, nil
}

// update changes a pin, whoever else does at the same time. change returns false
// where nothing is to be written.
func (p pins) update(ctx context.Context, server string, change func(*Pin) (bool, error)) (Pin, error) {
	for {
		pin, etag, err := p.read(ctx, server)
		if err != nil {
			return Pin{}, err
		}
		if write, err := change(&pin); err != nil || !write {
			return pin, err
		}
		body, err := json.Marshal(pin)
		if err != nil {
			return Pin{}, err
		}
		if etag == "" {
			_, err = p.bucket.Create(ctx, p.key(server), body)
		} else {
			_, err = p.bucket.Replace(ctx, p.key(server), body, etag)
		}
		if !errors.Is(err, bucket.ErrExists) && !errors.Is(err, bucket.ErrChanged) {
			return pin, err
		}
	}
}
