package users

import (
	"context"
	"encoding/json"
	"sort"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/files"
	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/agent/memory"
	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// User is one user's journal, open, and what it says.
type User struct {
	Name   string
	Memory *memory.Store
	Files  *files.Workspace

	bucket bucket.Bucket
	log    *journal.Log
	now    func() time.Time

	mu       sync.Mutex
	rows     map[string]*SessionSummary
	changed  map[string]uint64    // the record that last said something of a session
	seq      uint64               // the last record
	onRow    func(session string) // is told when what the rows say of a session changes
	standing map[string]time.Time // approved scopes, until when
	audit    auditlog.Log

	ending *time.Timer // the end of the journal is to be noted

	meeting sync.Mutex
	left    []Marker // what may be unfinished, as it was found; nothing once it was looked through
}

// SessionSummary is what the user's journal, or else its mark, says of a session. It is
// exact for a session at rest; while one is active, package runs knows better.
type SessionSummary struct {
	chat.Session
	Epoch uint64 // which life
	Alive bool   // false: deleted; the row stays so that the next life gets a new epoch
	Usage chat.Usage
	Tail  Anchor
}

// AtRest returns what a list shows of a session that is not in use: nothing runs in it,
// whatever it was at when the row was written.
func (r SessionSummary) AtRest() chat.Session {
	if r.State != chat.StateFailed {
		r.State = chat.StateIdle
	}
	return r.Session
}

// Anchor names the last object of a session's journal when it came to rest, so
// that a lost tail shows.
type Anchor struct {
	Number uint64 `json:"n,omitempty"`
	Hash   string `json:"hash,omitempty"`
}

// The records of a user's journal, beside package memory's.
const (
	recAnchored = "session_anchored"
	recCleared  = "session_cleared"
	recDeleted  = "session_deleted"
	recStanding = "approval_standing"
)

type sessionBody struct {
	Session chat.Session `json:"session"`
	Epoch   uint64       `json:"epoch"`
	Usage   chat.Usage   `json:"usage,omitzero"`
	Tail    Anchor       `json:"tail,omitzero"`
}

type standingBody struct {
	Scope string    `json:"scope"`
	Until chat.Time `json:"until"`
}

// open reads a user's journal.
func open(ctx context.Context, b bucket.Bucket, name string, now func() time.Time, onRow func(user, session string)) (*User, error) {
	u := &User{Name: name, bucket: b, now: now, rows: map[string]*SessionSummary{}, changed: map[string]uint64{}, standing: map[string]time.Time{}}
	u.Files = files.New(b, FilesPrefix(name))
	u.Memory = memory.New(logOf{u}, memory.WithClock(now))
	// The note is read beside the journal, so that it costs no time.
	var noted journal.Tail
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { noted, err = Noted(gctx, b, name); return err })
	g.Go(func() (err error) { u.log, err = journal.Open(gctx, b, logPrefix(name), u, now); return err })
	err := g.Wait()
	if err == nil {
		err = u.log.Expect(ctx, noted)
	}
	if err != nil {
		return nil, ownDamage(bucket.Unavailable(err))
	}
	if noted.Number < u.log.Tail().Number {
		u.noteSoon() // a crash came before it, or an earlier version wrote last
	}
	marks, err := u.Markers(ctx)
	if err != nil {
		return nil, bucket.Unavailable(err)
	}
	for _, m := range marks {
		u.begin(m)
	}
	u.left = marks
	if onRow != nil {
		u.onRow = func(session string) { onRow(name, session) }
	}
	return u, nil
}

// Recover hands what may have been left unfinished to the first who asks. Others wait
// until that is done.
func (u *User) Recover(visit func(Marker)) {
	u.meeting.Lock()
	defer u.meeting.Unlock()
	for _, m := range u.left {
		visit(m)
	}
	u.left = nil
}

// logOf is the journal as package memory sees it: the store exists before the
// journal that fills it has been read.
type logOf struct{ u *User }

func (l logOf) Append(ctx context.Context, records ...journal.Record) error {
	return l.u.appendLog(ctx, records...)
}

// Apply takes a record in.
func (u *User) Apply(e journal.Entry) error {
	// Last: who reads that this record is in has been told of what it changes.
	defer func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.seq = e.Seq
	}()
	return u.apply(e)
}

func (u *User) apply(e journal.Entry) error {
	if e.Newer() {
		return nil
	}
	switch e.Type {
	case recAnchored, recCleared, recDeleted:
		var b sessionBody
		if err := json.Unmarshal(e.Body, &b); err != nil {
			return err
		}
		u.applySession(e.Type, b)
		u.mu.Lock()
		u.changed[b.Session.ID] = e.Seq
		u.mu.Unlock()
		u.rowChanged(b.Session.ID)
		return nil
	case recStanding:
		var b standingBody
		if err := json.Unmarshal(e.Body, &b); err != nil {
			return err
		}
		u.mu.Lock()
		defer u.mu.Unlock()
		u.standing[b.Scope] = b.Until.Time
		return nil
	case auditlog.RecordType:
		entry, err := auditlog.Parse(e.Body)
		if err != nil {
			return err
		}
		u.mu.Lock()
		defer u.mu.Unlock()
		u.audit.Add(entry)
		return nil
	}
	return u.Memory.Apply(e.Record)
}

func (u *User) applySession(kind string, b sessionBody) {
	u.mu.Lock()
	defer u.mu.Unlock()
	r := u.rows[b.Session.ID]
	if r == nil {
		r = &SessionSummary{}
		u.rows[b.Session.ID] = r
	}
	if b.Epoch < r.Epoch {
		return // an anchor of a life that has ended since
	}
	switch kind {
	case recAnchored:
		if b.Epoch > r.Epoch || r.Alive {
			*r = SessionSummary{Session: b.Session, Epoch: b.Epoch, Alive: true, Usage: b.Usage, Tail: b.Tail}
		}
	case recCleared:
		*r = SessionSummary{Session: b.Session, Epoch: b.Epoch, Alive: true}
	case recDeleted:
		*r = SessionSummary{Session: chat.Session{ID: b.Session.ID}, Epoch: b.Epoch}
	}
}

// Session is what is known of a session; ok is false for one that never was.
func (u *User) Session(session string) (SessionSummary, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if r := u.rows[session]; r != nil {
		return *r, true
	}
	return SessionSummary{}, false
}

// Sessions lists the sessions that live, in no promised order.
func (u *User) Sessions() []SessionSummary {
	u.mu.Lock()
	defer u.mu.Unlock()
	rows := make([]SessionSummary, 0, len(u.rows))
	for _, r := range u.rows {
		if r.Alive {
			rows = append(rows, *r)
		}
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i].ID < rows[j].ID })
	return rows
}

// rowChanged tells whoever wants to know.
func (u *User) rowChanged(session string) {
	if u.onRow != nil {
		u.onRow(session)
	}
}

// Changes gives all sessions that there are or were, each with the record of the
// journal that last said something of it, or 0; and the journal's last record.
func (u *User) Changes() (sessions map[string]uint64, seq uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	sessions = make(map[string]uint64, len(u.rows))
	for id := range u.rows {
		sessions[id] = u.changed[id]
	}
	return sessions, u.seq
}

// Seq is the journal's last record.
func (u *User) Seq() uint64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.seq
}

// begin notes a session of which the journal does not know yet: its mark is in
// the store, and its first anchor comes when it rests.
func (u *User) begin(m Marker) {
	u.mu.Lock()
	r := u.rows[m.Session.ID]
	fresh := r == nil || m.Epoch > r.Epoch
	if fresh {
		u.rows[m.Session.ID] = &SessionSummary{Session: m.Session, Epoch: m.Epoch, Alive: true}
		delete(u.changed, m.Session.ID)
	}
	u.mu.Unlock()
	if fresh {
		u.rowChanged(m.Session.ID)
	}
}

// Anchor writes where a session's journal ends and what it shows in a list, and
// in the same object the session's entries of the audit log.
func (u *User) Anchor(ctx context.Context, r SessionSummary, entries ...auditlog.Entry) error {
	return u.append(ctx, recAnchored, sessionBody{r.Session, r.Epoch, r.Usage, r.Tail}, entries...)
}

// Clear ends a session's life and begins the next, empty one. The tombstone is
// durable before an object goes, so a crash in between is finished by the next
// Sweep and cannot bring half a session back. The entries of the audit log are in
// the same object as the tombstone: what is deleted has left them here.
func (u *User) Clear(ctx context.Context, session string, entries ...auditlog.Entry) error {
	r, _ := u.Session(session)
	r.Session.Messages, r.Session.Head = 0, ""
	r.Session.UpdatedAt = chat.At(u.now())
	if err := u.append(ctx, recCleared, sessionBody{Session: r.Session, Epoch: r.Epoch + 1}, entries...); err != nil {
		return err
	}
	return u.remove(ctx, session)
}

// Delete ends a session's life for good.
func (u *User) Delete(ctx context.Context, session string, entries ...auditlog.Entry) error {
	r, _ := u.Session(session)
	if err := u.append(ctx, recDeleted, sessionBody{Session: chat.Session{ID: session}, Epoch: r.Epoch}, entries...); err != nil {
		return err
	}
	return u.remove(ctx, session)
}

// remove ends a deletion: the objects, then the mark that would find it again.
func (u *User) remove(ctx context.Context, session string) error {
	if err := u.Sweep(ctx, session); err != nil {
		return err
	}
	return u.RemoveMarker(ctx, session)
}

// Sweep removes what ended lives of a session have left in the store. It may be
// repeated. A life that is later than what is known here is never touched: another
// agent may have begun it, or this journal may have lost its end.
func (u *User) Sweep(ctx context.Context, session string) error {
	r, _ := u.Session(session)
	return removeAll(ctx, u.bucket, sessionRoot(u.Name, session), func(key string) bool {
		life, ok := GenerationOf(u.Name, key)
		if !ok {
			return !r.Alive
		}
		return life.Epoch < r.Epoch || (!r.Alive && life.Epoch == r.Epoch)
	})
}

// Refresh takes in what other agents have written to the user's journal.
func (u *User) Refresh(ctx context.Context) error { return u.log.Refresh(ctx) }

// Approve writes that a scope is approved until a time.
func (u *User) Approve(ctx context.Context, scope string, until time.Time) error {
	return u.append(ctx, recStanding, standingBody{scope, chat.At(until)})
}

// IsApproved reports whether a scope is approved now.
func (u *User) IsApproved(scope string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.now().Before(u.standing[scope])
}

// append writes a record, and before it entries of the audit log.
func (u *User) append(ctx context.Context, kind string, body any, entries ...auditlog.Entry) error {
	return u.appendLog(ctx, append(auditlog.Records(entries), record.New(kind, body))...)
}

var _ journal.State = (*User)(nil)

// Now is the time by the clock that this user's journal is written with.
func (u *User) Now() time.Time { return u.now() }
