package runs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/loongclaw/loongclaw/agent/guard"
	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// keyLife is how long an Idempotency-Key counts.
const keyLife = 24 * time.Hour

// Request is a message to a session.
type Request struct {
	Message     string
	ParentID    *string // answer from this earlier point; nil: from the end
	Key         string  // Idempotency-Key
	Interactive bool    // somebody can answer an approval
	RequestID   string

	// Instructions stand behind the persona for this message alone; Earlier is
	// what a new session is to begin with. Both are for clients that keep their
	// conversations themselves.
	Instructions string
	Earlier      []Exchange
}

// Start stores a message and returns when it is durable. The session is made
// when it is not there. The run goes on without the caller.
func (m *Manager) Start(ctx context.Context, user, id string, q Request) (chat.Run, error) {
	if err := chat.CheckSession(id); err != nil {
		return chat.Run{}, err
	}
	if err := chat.CheckMessage(q.Message); err != nil {
		return chat.Run{}, err
	}
	if err := checkRequest(q); err != nil {
		return chat.Run{}, err
	}
	if len(q.Key) > 256 {
		return chat.Run{}, fault.New(fault.CodeInvalidRequest, "the Idempotency-Key is longer than 256 bytes", "use a random UUID")
	}
	u, err := m.users.Get(ctx, user)
	if err != nil {
		return chat.Run{}, err
	}
	parent := "\x00" // what no id can be
	if q.ParentID != nil {
		parent = *q.ParentID
	}
	b := messageBody{
		MessageID: newID("msg"), RunID: newID("run"), ParentID: q.ParentID, Content: q.Message,
		Interactive: q.Interactive, Key: q.Key, Hash: hashOf("message", q.Message, parent), RequestID: q.RequestID,
		Instructions: q.Instructions, Trace: m.Trace.Here(ctx),
	}
	sub := submission{runID: b.RunID, messageID: b.MessageID, key: b.Key, hash: b.Hash, title: titleOf(b.Content)}
	var end string
	if sub.earlier, end = m.adopted(newest(q.Earlier)); len(q.Earlier) > 0 {
		sub.title = titleOf(q.Earlier[0].User)
	}
	sub.record = func(s *session) (journal.Record, string, error) {
		b := b
		if s.seq() == 0 && end != "" {
			b.ParentID = &end
			return record(recMessage, b), end, nil
		}
		if b.ParentID != nil && *b.ParentID != "" && s.tree.nodes[*b.ParentID] == nil {
			return journal.Record{}, "", fault.New(fault.CodeInvalidRequest, "parentId is not a message of this session", "GET /api/history/{session}?tree=1 lists them")
		}
		if b.Queued = s.busy(); !b.Queued && b.ParentID == nil {
			b.ParentID = &s.tree.head
		}
		parent := ""
		if b.ParentID != nil {
			parent = *b.ParentID
		}
		return record(recMessage, b), parent, nil
	}
	for {
		s, err := m.load(ctx, u, id)
		if err != nil {
			return chat.Run{}, err
		}
		// A session that was cleared in this moment has a next life.
		if r, err := m.submit(ctx, s, sub); !errors.Is(err, errEnded) {
			return r, err
		}
	}
}

var errEnded = fault.New(fault.CodeConflict, "the session was cleared in this moment", "send it again")

// Regenerate answers a user's message again, as a new branch. Without a message
// it is the last one of the shown branch.
func (m *Manager) Regenerate(ctx context.Context, user, id, messageID, key, requestID string) (chat.Run, error) {
	s, err := m.lookup(ctx, user, id)
	if err != nil {
		return chat.Run{}, err
	}
	b := regenerateBody{RunID: newID("run"), Key: key, Hash: hashOf("regenerate", messageID), RequestID: requestID, Trace: m.Trace.Here(ctx)}
	s.mu.Lock()
	from := messageID
	if from == "" {
		from = s.tree.head
	}
	n := s.tree.lastUser(from)
	if n != nil {
		b.MessageID = n.ID
	}
	s.mu.Unlock()
	if n == nil {
		return chat.Run{}, fault.New(fault.CodeNotFound, "there is no such message to answer again", "GET /api/history/{session}?tree=1 lists them")
	}
	return m.submit(ctx, s, submission{runID: b.RunID, messageID: b.MessageID, key: b.Key, hash: b.Hash, record: func(*session) (journal.Record, string, error) {
		return record(recRegenerate, b), "", nil
	}})
}

// submission is a new run on its way into the journal.
type submission struct {
	runID, messageID, key, hash, title string

	earlier []journal.Record // what an empty session begins with
	// record makes the first record, and the parent to settle, from the
	// session's state. The lock is held.
	record func(*session) (journal.Record, string, error)
}

// answerTime is how long a message may take to be stored before its sender is
// told that it is not known whether it was.
const answerTime = 20 * time.Second

// submit makes a run durable and sets it going. It does not end with its caller:
// what may be stored must also be run.
func (m *Manager) submit(ctx context.Context, s *session, sub submission) (chat.Run, error) {
	if m.isDraining() {
		return chat.Run{}, fault.New(fault.CodeDraining, "this agent is about to stop", "send it again").After(2 * time.Second)
	}
	type result struct {
		run chat.Run
		err error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		r.err = guard.Run(func() (err error) {
			r.run, err = m.enter(context.WithoutCancel(ctx), s, sub)
			return err
		})
		if guard.Find(r.err) != nil {
			m.report(m.Log, "message not taken in", r.err)
		}
		done <- r
	}()
	t := time.NewTimer(answerTime)
	defer t.Stop()
	select {
	case r := <-done:
		return r.run, r.err
	case <-t.C:
		return chat.Run{}, storeFault(errors.New("no answer in time"))
	case <-ctx.Done():
		return chat.Run{}, ctx.Err()
	}
}

// enter brings a submission into the journal and its run under way.
func (m *Manager) enter(ctx context.Context, s *session, sub submission) (chat.Run, error) {
	s.starting.Lock()
	defer s.starting.Unlock()
	if err := s.log.Writable(); err != nil {
		return chat.Run{}, err // before a mark is written, which may be a later version's
	}
	// Who the agent is gets read while the message is being stored, so that on a
	// slow store a run does not wait for one after the other.
	soul := make(chan string, 1)
	m.background(func() {
		text := ""
		defer func() { soul <- text }()
		text = m.Persona(ctx, s.user.Name)
	})
	e := entrance{submission: sub, m: m, s: s, slot: m.slot(s.user.Name)}
	err := m.durable(ctx, s, sub.title, func() error {
		err := s.log.Transact(ctx, e.build)
		e.stored = err == nil && e.isNew
		return err
	})
	if e.stored {
		if e.placed {
			s.mu.Lock()
			s.runs[e.runID].soul = soul
			s.mu.Unlock()
		}
		m.work(s, e.placed)
	} else {
		if e.placed {
			e.slot.Release(1)
		}
		m.settle(s) // nothing began, so nobody else takes the mark away
	}
	if err == nil {
		err = m.stillAlive(ctx, s)
	}
	return e.answer, err
}

// stillAlive looks, after a message was stored, whether another agent has ended
// this life of the session. The tombstone is durable before an object goes, so
// one that is not there now came after the message, or never.
func (m *Manager) stillAlive(ctx context.Context, s *session) error {
	if err := s.user.Refresh(ctx); err != nil {
		return err
	}
	if row, _ := s.user.Row(s.id); row.Alive && row.Epoch == s.epoch {
		return nil
	}
	m.drop(s)
	return errEnded
}

// entrance is a submission and what became of it.
type entrance struct {
	submission
	m      *Manager
	s      *session
	slot   *semaphore.Weighted
	placed bool // it has a place among the user's active runs
	isNew  bool // no repetition of an earlier one
	stored bool
	answer chat.Run
}

// build makes the records of a submission, from the session as it is now. It
// may be called again when another writer was first.
func (e *entrance) build() ([]journal.Record, error) {
	s := e.s
	s.mu.Lock()
	defer s.mu.Unlock()
	e.isNew = false
	if s.ended {
		return nil, errEnded
	}
	if k, ok := s.keys[e.key]; ok && e.key != "" && e.m.Now().Sub(k.at) < keyLife {
		if k.hash != e.hash {
			return nil, fault.New(fault.CodeIdempotency, "this Idempotency-Key was used with another body", "use a new key for a new message")
		}
		e.answer = k.run
		return nil, nil
	}
	if len(s.queue) >= chat.MaxWaiting {
		return nil, fault.New(fault.CodeSessionBusy, "8 messages wait in this session already", "wait for an answer, or cancel").After(5 * time.Second)
	}
	now := !s.busy()
	// A message to an idle session starts its run at once, so it needs a place.
	if now && !e.placed {
		if e.placed = e.slot.TryAcquire(1); !e.placed {
			return nil, fault.New(fault.CodeTooManyRuns, "too many of your runs are active", "wait for one to end, or cancel one; MAX_CONCURRENT_RUNS sets how many there may be").After(5 * time.Second)
		}
	}
	first, parent, err := e.record(s)
	if err != nil {
		return nil, err
	}
	e.isNew = true
	var before []journal.Record
	if s.seq() == 0 {
		before = e.earlier
	}
	e.answer = s.runAnswer(e.runID, e.messageID, s.seq()+uint64(len(before))+1)
	if !now {
		return []journal.Record{first}, nil
	}
	return append(slices.Clone(before), first, record(recStarted, startedBody{RunID: e.runID, ParentID: parent, Owner: e.m.owner()})), nil
}

// durable makes everything durable that a message's acknowledgement promises:
// the message, and the mark by which a start finds its run. The two do not wait
// for each other.
func (m *Manager) durable(ctx context.Context, s *session, title string, write func() error) error {
	row := s.rowFor(title)
	marked := m.inBackground(func() error { return storeFault(m.mark(ctx, s, row)) })
	// Neither ends the other: what is stored must be known to be.
	return errors.Join(write(), <-marked)
}

// rowFor is the session's row with a first message's title.
func (s *session) rowFor(title string) chat.Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := chat.At(s.user.Now())
	c := chat.Session{ID: s.id, Title: s.title, CreatedAt: s.created, UpdatedAt: now}
	if c.Title == "" {
		c.Title = title
	}
	if s.created.IsZero() {
		s.created = now // as the mark says; the first record is a moment later
	}
	c.CreatedAt = s.created
	return c
}

func storeFault(err error) error {
	var f *fault.Error
	if err == nil || errors.As(err, &f) || errors.Is(err, context.Canceled) {
		return err
	}
	return fault.Wrap(err, fault.CodeStoreFailed, "the store did not answer", "nothing was acknowledged; send it again with the same Idempotency-Key").After(2 * time.Second)
}

func hashOf(parts ...string) string {
	h := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(h[:16])
}

// titleOf makes a title out of a first message, without a model.
func titleOf(message string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
	r := []rune(strings.Join(strings.Fields(line), " "))
	if len(r) > 60 {
		r = append(r[:59], '…')
	}
	return string(r)
}
