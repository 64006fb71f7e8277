package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/files"
	"github.com/loongclaw/loongclaw/agent/memory"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Document is all of a user for programs that know nothing of journals.
type Document struct {
	Version  int              `json:"version"`
	User     string           `json:"user"`
	Sessions []Session        `json:"sessions"`
	Memory   []memory.Item    `json:"memory"` // newest first
	Files    []File           `json:"files"`
	Ledger   []auditlog.Entry `json:"ledger"` // as it is written, the oldest first
}

// Session is one session. A damaged one has its row and its error.
type Session struct {
	chat.Session
	Messages []chat.Message `json:"messages"` // the whole tree, in the order in which they came
	Error    string         `json:"error,omitempty"`
}

// File is one file of the workspace.
type File struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
}

// Document reads the snapshot's sessions, memory and list of files. found are
// the faults of sessions that could not be read; the others are there.
func (s *Snapshot) Document(ctx context.Context) (d Document, found []error, err error) {
	u, err := users.New(s.source, time.Now).Get(ctx, s.User)
	if err != nil {
		return d, nil, s.settled(err)
	}
	d = Document{Version: version, User: s.User, Sessions: []Session{}, Memory: u.Memory.Recent(u.Memory.Len()), Files: []File{}}
	for _, row := range u.Sessions() {
		one, err := s.session(ctx, u, row)
		switch {
		case fault.CodeOf(err) == fault.CodeDamaged && !s.moved.Load():
			one.Error = fault.From(err).Message
			found = append(found, err)
		case err != nil:
			return d, found, s.settled(err)
		}
		d.Sessions = append(d.Sessions, one)
	}
	paths, err := files.New(s.source, users.FilesPrefix(s.User)).Snapshot(ctx)
	for _, f := range paths {
		d.Files = append(d.Files, File{f.Path, f.Size})
	}
	if err != nil {
		return d, found, err
	}
	d.Ledger, err = users.ReadAuditLog(ctx, s.source, s.User)
	return d, found, s.settled(err)
}

func (s *Snapshot) session(ctx context.Context, u *users.User, row users.SessionSummary) (Session, error) {
	head, history, err := transcript(ctx, s.source, u, row)
	if err == nil {
		err = anchored(ctx, s.source, s.User, row)
	}
	return Session{Session: head, Messages: history.Messages}, err
}

// settled gives ErrMoved for what failed because a session was deleted meanwhile.
func (s *Snapshot) settled(err error) error {
	if s.moved.Load() {
		return ErrMoved
	}
	return err
}

// WriteJSON writes the document as indented JSON.
func (d Document) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // people read this
	enc.SetIndent("", "  ")
	if err := enc.Encode(d); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	return nil
}

// WriteMarkdown writes a tar of Markdown files: memory/ is the original's memory
// folder, as package memory gives it, and sessions/ has one file for each
// session. `agent import` takes its memory in, for any user.
func (s *Snapshot) WriteMarkdown(ctx context.Context, w io.Writer) (found []error, err error) {
	d, found, err := s.Document(ctx)
	if err != nil {
		return found, err
	}
	u, err := users.New(s.source, time.Now).Get(ctx, s.User)
	if err != nil {
		return found, s.settled(err)
	}
	pages := map[string][]byte{}
	for name, body := range u.Memory.DayFiles() {
		pages["memory/"+name] = body
	}
	for _, one := range d.Sessions {
		pages["sessions/"+bucket.Segment(one.ID)+".md"] = one.markdown()
	}
	names := make([]string, 0, len(pages))
	for name := range pages {
		names = append(names, name)
	}
	slices.Sort(names)
	out := tar.NewWriter(w)
	for _, name := range names {
		if err := writeFile(out, name, pages[name]); err != nil {
			return found, err
		}
	}
	return found, errors.Join(out.Close())
}

// markdown gives a session as a page: the branch that is shown, then what was
// said on others.
func (s Session) markdown() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n\n- session: `%s`\n- created: %s\n- updated: %s\n", oneLine(s.Title), s.ID, s.CreatedAt, s.UpdatedAt)
	if s.Error != "" {
		fmt.Fprintf(&b, "\n**%s**\n", s.Error)
	}
	byID := map[string]chat.Message{}
	for _, m := range s.Messages {
		byID[m.ID] = m
	}
	shown := map[string]bool{}
	var branch []chat.Message
	for m, there := byID[s.Head]; there && !shown[m.ID]; m, there = byID[m.ParentID] {
		shown[m.ID] = true
		branch = append(branch, m)
	}
	for _, m := range slices.Backward(branch) {
		writeMessage(&b, m, "")
	}
	if len(shown) < len(s.Messages) {
		b.WriteString("\n# Other branches\n")
	}
	for _, m := range s.Messages {
		if !shown[m.ID] {
			writeMessage(&b, m, ", answers "+m.ParentID)
		}
	}
	return b.Bytes()
}

func writeMessage(b *bytes.Buffer, m chat.Message, more string) {
	if m.Incomplete {
		more += ", cut short"
	}
	fmt.Fprintf(b, "\n## %s\n\n%s, `%s`%s\n\n%s\n", m.Role, m.Timestamp, m.ID, more, m.Content)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
