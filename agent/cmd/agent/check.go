package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/audit"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/sqlite"
	"github.com/loongclaw/loongclaw/agent/model"
	"github.com/loongclaw/loongclaw/agent/websearch"
)

// check says what this configuration would do, after trying the store and what it
// reaches outside.
func check(ctx context.Context, c config, stdout io.Writer) (err error) {
	if err := errors.Join(tryStore(ctx, c), tryWorkspace(c), tryLog(c)); err != nil {
		return err
	}
	searches, searchErr := trySearch(ctx, c)
	servers, serversErr := tryServers(ctx, c)
	for _, line := range servers {
		if _, err := fmt.Fprintln(stdout, line); err != nil {
			return err
		}
	}
	if err := errors.Join(searchErr, serversErr); err != nil {
		return err
	}
	_, info := model.New(c.model(), nil, nil)
	for _, note := range c.notes {
		if _, err := fmt.Fprintln(stdout, "note:", note); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(stdout, "ok: store %s, provider %s, model %s%s, %s, listening on %s as %q\n", c.Store, info.Provider, info.Model, sight(&info), searches, c.Listen, c.Instance)
	return err
}

// searchPatience is how long the search provider may take to answer.
const searchPatience = 15 * time.Second

// trySearch asks the search provider once and says what came of it. One that the
// owner named must answer. One that is there because a key of its vendor is, GLM's
// above all, is only reported: the key may be meant for models alone.
func trySearch(ctx context.Context, c config) (string, error) {
	switch {
	case c.search == nil:
		return "no web search", nil
	case c.search.Egress != "":
		return "web search by " + c.search.Name + " (not tried: the egress proxy has the key)", nil
	}
	ctx, cancel := context.WithTimeout(ctx, min(searchPatience, c.webTimeout))
	defer cancel()
	_, err := websearch.New(*c.search, websearch.Config{}).Search(ctx, "weather", 1)
	switch {
	case err == nil:
		return "web search by " + c.search.Name, nil
	case c.search.Named:
		return "", fmt.Errorf("WEB_SEARCH_PROVIDER=%s: %w\nNext: mend that, or set WEB_SEARCH_PROVIDER=%s to go without a search", c.search.Name, err, websearch.Off)
	}
	return fmt.Sprintf("web search by %s, which does not work (%v; WEB_SEARCH_PROVIDER=%s turns it off)", c.search.Name, err, websearch.Off), nil
}

// sight says which of the models read images: one reads what another does not.
func sight(info *model.Info) string {
	var see []string
	for _, m := range info.Models {
		if m.Vision {
			see = append(see, m.ID)
		}
	}
	switch {
	case len(see) == 0:
		return " without vision"
	case len(see) == len(info.Models):
		return " with vision"
	}
	return ", with vision " + strings.Join(see, " and ")
}

// tryStore looks whether the store is there and can be trusted.
func tryStore(ctx context.Context, c config) (err error) {
	store, closeStore, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	return bucket.Prove(ctx, store)
}

// tryWorkspace looks whether working copies can be made.
func tryWorkspace(c config) error {
	if err := os.MkdirAll(c.Workspace, 0o750); err != nil {
		return fmt.Errorf("WORKSPACE_DIR: %w\nNext: choose a directory that can be written", err)
	}
	f, err := os.CreateTemp(c.Workspace, ".check-")
	if err != nil {
		return fmt.Errorf("WORKSPACE_DIR: %w\nNext: choose a directory that can be written", err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// tryLog looks whether the log can be written.
func tryLog(c config) error {
	_, closeLog, err := logger(c, io.Discard)
	if err != nil {
		return fmt.Errorf("%w\nNext: choose a file that can be written, or leave it out", err)
	}
	return closeLog()
}

// verify checks every journal of the store and every anchor. It takes no lock
// and may run beside a live agent.
func verify(ctx context.Context, stdout io.Writer) (err error) {
	store, closeStore, err := openOnlyStore(ctx, toRead)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	faulty := verifyFile(ctx, store, stdout)
	r, err := audit.Run(ctx, store)
	if err = errors.Join(faulty, err); err != nil && r.Users == 0 {
		return err
	}
	// What was checked is worth knowing, also where a part of the store did not
	// answer.
	return errors.Join(err, report(r, stdout))
}

// verifyFile checks a store that is a file of its own, and what no journal holds.
func verifyFile(ctx context.Context, store bucket.Bucket, stdout io.Writer) error {
	file, ok := store.(*sqlite.Store)
	if !ok {
		return nil
	}
	found, err := file.Check(ctx)
	for _, problem := range found.Problems {
		if _, err := fmt.Fprintln(stdout, "damaged:", problem); err != nil {
			return err
		}
	}
	if err != nil || len(found.Problems) == 0 {
		return err
	}
	return fmt.Errorf("the database is damaged in %d places; %d objects are as they were written\nNext: keep the file, and restore the database from a backup; docs/OPERATIONS.md says how", len(found.Problems), found.Objects)
}

// report prints what verify found. Damage is an error, so that a script sees it.
func report(r audit.Report, stdout io.Writer) error {
	var out strings.Builder
	for _, d := range r.Damaged {
		fmt.Fprintf(&out, "damaged: %s: %v\n", d.Prefix, d.Err)
	}
	for _, d := range r.Lost {
		fmt.Fprintf(&out, "lost: %v\n", d.Err)
	}
	for _, o := range r.Orphans {
		fmt.Fprintf(&out, "left over from a session that was cleared or deleted: %s: %d objects\n", o.Prefix, o.Objects)
	}
	fmt.Fprintf(&out, "%d users, %d journals whole, %d objects checked, %d anchors held, %d journals damaged, %d lines of audit logs, %d attachments whole\n", r.Users, r.Whole, r.Objects, r.Anchors, len(r.Damaged), r.Lines, r.Attached)
	if _, err := io.WriteString(stdout, out.String()); err != nil || len(r.Damaged)+len(r.Lost) == 0 {
		return err
	}
	if len(r.Damaged) == 0 {
		return fmt.Errorf("%d objects that stand with messages are lost; they are named above\nNext: restore them from a backup; their sessions go on without them", len(r.Lost))
	}
	return fmt.Errorf("%d journals are damaged; the first bad object of each is named above\nNext: restore those objects from a backup, or delete the sessions", len(r.Damaged))
}
