package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/agent/model"
	"github.com/loongclaw/loongclaw/agent/users"
)

// check says what this configuration would do, after trying the store.
func check(ctx context.Context, c config, stdout io.Writer) (err error) {
	store, closeStore, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	if err := bucket.Prove(ctx, store); err != nil {
		return err
	}
	_, info := model.New(c.model(), nil, nil)
	_, err = fmt.Fprintf(stdout, "ok: store %s, provider %s, model %s, listening on %s as %q\n", c.Store, info.Provider, info.Model, c.Listen, c.Instance)
	return err
}

// verify checks every journal of the store. It takes no lock and may run beside
// a live agent.
func verify(ctx context.Context, c config, stdout io.Writer) (err error) {
	store, closeStore, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	names, err := users.Names(ctx, store)
	if err != nil {
		return err
	}
	journals, objects := 0, uint64(0)
	var faults []error
	for _, name := range names {
		prefixes, err := users.Journals(ctx, store, name)
		if err != nil {
			return err
		}
		for _, p := range prefixes {
			tail, err := journal.Verify(ctx, store, p)
			if err != nil {
				faults = append(faults, err)
				continue
			}
			journals++
			objects += tail.Number
		}
	}
	if _, err := fmt.Fprintf(stdout, "%d users, %d journals whole, %d objects checked, %d journals damaged\n", len(names), journals, objects, len(faults)); err != nil {
		return err
	}
	return errors.Join(faults...)
}
