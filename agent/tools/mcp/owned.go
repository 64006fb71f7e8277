package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// reread is how old a user's configuration may be: another agent may have changed it.
const reread = 10 * time.Second

// maxOwned is how many servers a user may have.
const maxOwned = 32

// owned is the servers that one user has set up.
type owned struct {
	source *Source
	user   string
	store  userStore

	reading sync.Mutex // held by who reads or writes the configuration

	mu      sync.Mutex
	servers map[string]*server
	read    time.Time
	busy    bool
}

func (o *owned) list() []*server {
	o.mu.Lock()
	defer o.mu.Unlock()
	return sorted(o.servers)
}

func (o *owned) refreshSoon() {
	o.mu.Lock()
	defer o.mu.Unlock()
	e := o.source.env
	if o.busy || e.root.Err() != nil || !o.read.IsZero() && e.now().Sub(o.read) < reread {
		return
	}
	o.busy = true
	e.running.Go(func() {
		ctx, cancel := context.WithTimeout(e.root, connectTime)
		defer cancel()
		if err := o.refresh(ctx); err != nil && e.root.Err() == nil {
			e.log.Warn("a user's MCP servers cannot be read", slog.String("user", o.user), slog.Any("error", err))
		}
		o.mu.Lock()
		o.busy = false
		o.mu.Unlock()
	})
}

// refresh reads the configuration and takes it in.
func (o *owned) refresh(ctx context.Context) error {
	o.reading.Lock()
	defer o.reading.Unlock()
	return o.refreshLocked(ctx)
}

func (o *owned) refreshLocked(ctx context.Context) error {
	entries, _, err := o.store.entries(ctx)
	if err != nil {
		return err
	}
	secrets := map[string]map[string]string{}
	if len(entries) > 0 && o.source.Egress == nil {
		if secrets, _, err = o.store.secrets(ctx); err != nil {
			return err
		}
	}
	o.take(entries, secrets)
	return nil
}

// take makes the servers those of a configuration: those that are as they were stay.
func (o *owned) take(entries map[string]Entry, secrets map[string]map[string]string) {
	var over []*server
	o.mu.Lock()
	for name, one := range o.servers {
		if e, ok := entries[name]; !ok || !sameEntry(e, one.entry) || !maps.Equal(secrets[name], one.dial.entry.Headers) {
			over = append(over, one)
			delete(o.servers, name)
		}
	}
	for name, e := range entries {
		if o.servers[name] != nil {
			continue
		}
		e.Allow, e.OAuth = nil, nil // only the owner's entry lets a tool run unasked
		full, err := e, error(nil)
		if e.Command != "" {
			err = closed("a program can only be set up by the owner, in the instance's configuration")
		}
		full.Headers = secrets[name]
		tell := func(ctx context.Context, ev event) { o.source.tell(ctx, o.user, ev) }
		o.servers[name] = o.source.server(name, ScopeUser, e, full, err, pins{o.source.Bucket, o.store.prefix}, tell)
	}
	o.read = o.source.env.now()
	o.mu.Unlock()
	for _, one := range over {
		o.source.env.running.Go(one.close)
	}
}

// drop ends what there is of a server, so that it is begun anew.
func (o *owned) drop(name string) {
	o.mu.Lock()
	one := o.servers[name]
	delete(o.servers, name)
	o.mu.Unlock()
	if one != nil {
		o.source.env.running.Go(one.close)
	}
}

// sameEntry reports whether two entries of a user's lead to the same.
func sameEntry(a, b Entry) bool {
	a.Allow, b.Allow, a.OAuth, b.OAuth = nil, nil, nil, nil
	return reflect.DeepEqual(a, b)
}

// userStore keeps a user's configuration and secrets.
type userStore struct {
	bucket bucket.Bucket
	prefix string
}

func (u userStore) entries(ctx context.Context) (map[string]Entry, string, error) {
	o, err := u.bucket.Get(ctx, u.prefix+"config/mcp.json")
	if errors.Is(err, bucket.ErrNotFound) {
		return map[string]Entry{}, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	entries, err := ParseFile(o.Body)
	if entries == nil {
		entries = map[string]Entry{}
	}
	return entries, o.ETag, err
}

func (u userStore) secrets(ctx context.Context) (map[string]map[string]string, string, error) {
	o, err := u.bucket.Get(ctx, u.prefix+"secrets/mcp.json")
	out := map[string]map[string]string{}
	if errors.Is(err, bucket.ErrNotFound) {
		return out, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	if err := json.Unmarshal(o.Body, &out); err != nil {
		return nil, "", errors.New("the secrets of a user's MCP servers cannot be read")
	}
	return out, o.ETag, nil
}

// put writes an object as it was changed, unless somebody else was faster.
func (u userStore) put(ctx context.Context, key, etag string, value any) error {
	body, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	if etag == "" {
		_, err = u.bucket.Create(ctx, u.prefix+key, body)
	} else {
		_, err = u.bucket.Replace(ctx, u.prefix+key, body, etag)
	}
	if err != nil {
		return fmt.Errorf("writing a user's MCP servers: %w", err)
	}
	return nil
}

// change changes an entry and its headers, or removes both, whoever else changes
// another one at the same time. Headers come first: an entry never stands without
// those that were meant for it.
func (o *owned) change(ctx context.Context, edit func(entries map[string]Entry, secrets map[string]map[string]string) error) error {
	o.reading.Lock()
	defer o.reading.Unlock()
	for {
		entries, etag, err := o.store.entries(ctx)
		if err != nil {
			return err
		}
		secrets, secretTag := map[string]map[string]string{}, ""
		if o.source.Egress == nil {
			if secrets, secretTag, err = o.store.secrets(ctx); err != nil {
				return err
			}
		}
		if err = edit(entries, secrets); err != nil {
			return err
		}
		if o.source.Egress == nil {
			err = o.store.put(ctx, "secrets/mcp.json", secretTag, secrets)
		}
		if err == nil {
			err = o.store.put(ctx, "config/mcp.json", etag, file{entries})
		}
		if errors.Is(err, bucket.ErrExists) || errors.Is(err, bucket.ErrChanged) {
			continue
		}
		if err != nil {
			return err
		}
		return o.refreshLocked(ctx)
	}
}
