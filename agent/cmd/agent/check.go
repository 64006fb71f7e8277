package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/loongclaw/loongclaw/agent/audit"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/model"
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

// verify checks every journal of the store and every anchor. It takes no lock
// and may run beside a live agent.
func verify(ctx context.Context, stdout io.Writer) (err error) {
	store, closeStore, err := openOnlyStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	r, err := audit.Run(ctx, store)
	if err != nil {
		return err
	}
	return report(r, stdout)
}

// report prints what verify found. Damage is an error, so that a script sees it.
func report(r audit.Report, stdout io.Writer) error {
	var out strings.Builder
	for _, d := range r.Damaged {
		fmt.Fprintf(&out, "damaged: %s: %v\n", d.Prefix, d.Err)
	}
	for _, o := range r.Orphans {
		fmt.Fprintf(&out, "left over from a session that was cleared or deleted: %s: %d objects\n", o.Prefix, o.Objects)
	}
	fmt.Fprintf(&out, "%d users, %d journals whole, %d objects checked, %d anchors held, %d journals damaged, %d lines of ledgers\n", r.Users, r.Whole, r.Objects, r.Anchors, len(r.Damaged), r.Lines)
	if _, err := io.WriteString(stdout, out.String()); err != nil || len(r.Damaged) == 0 {
		return err
	}
	return fmt.Errorf("%d journals are damaged; the first bad object of each is named above\nNext: restore those objects from a backup, or delete the sessions", len(r.Damaged))
}
