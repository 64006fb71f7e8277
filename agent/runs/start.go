package runs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/tasks"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Request is a message to a session.
type Request struct {
	Message     string
	ParentID    *string // answer from this earlier point; nil: from the end
	Key         string  // Idempotency-Key
	Model       *string // who is to answer first from here on; nil: as before; empty: the default
	Interactive bool    // somebody can answer an approval
	RequestID   string
	Attachments []Attachment // in the order in which the model is shown them

	// Instructions stand behind the persona for this message alone; Earlier is
	// what a new session is to begin with. Both are for clients that keep their
	// conversations themselves.
	Instructions string
	Earlier      []Exchange

	Client *session.Client  // what the client brings along beside the message
	Given  []session.Output // results of calls that it was given, though it goes on with this message
	Begun  []session.Done   // what was done for the message elsewhere; only a new session begins so
}

// Exchange is a message and its answer that somebody else kept.
type Exchange struct {
	User, Assistant string
	Done            []session.Done // before the answer
	Attachments     []Attachment   // of the user's message; those that cannot be read are left out
}

// Start stores a message and returns when it is durable. The session is made
// when it is not there. The run goes on without the caller.
func (m *Manager) Start(ctx context.Context, user, id string, q Request) (chat.Run, error) {
	if err := checkRequest(id, q); err != nil {
		return chat.Run{}, err
	}
	u, err := m.env.users.Get(ctx, user)
	if err != nil {
		return chat.Run{}, err
	}
	msg := session.Message{
		RunID: newID("run"), MessageID: newID("msg"), ParentID: q.ParentID, Content: q.Message, Interactive: q.Interactive,
		Instructions: q.Instructions, Model: q.Model, Key: q.Key, RequestID: q.RequestID, Trace: m.env.Trace.Here(ctx), Earlier: adopted(q.Earlier),
		Client: q.Client, Given: q.Given, Begun: begun(q.Begun), Brought: brought(q.Attachments),
	}
	title := session.TitleOf(q.Message)
	if len(q.Earlier) > 0 {
		title = session.TitleOf(q.Earlier[0].User)
	}
	for {
		s, err := m.sessions.load(ctx, u, id)
		if err != nil {
			return chat.Run{}, err
		}
		if run, done, err := s.attach(ctx, &msg, q.Attachments, attachmentsOf(q.Earlier)); done || err != nil {
			return run, err
		}
		// A session that was cleared in this moment has a next life.
		run, err := s.submit(ctx, title, func() (session.Submitted, error) { return s.state.Submit(msg, s.self, s.Now()) })
		if !errors.Is(err, errOver) {
			return run, err
		}
	}
}

// checkRequest refuses a message that is none, and what a client brings beside it
// when that is too much to be kept.
func checkRequest(session string, q Request) error {
	if err := chat.CheckSession(session); err != nil {
		return err
	}
	if err := chat.CheckMessage(q.Message); err != nil {
		return err
	}
	if len(q.Key) > 256 {
		return fault.New(fault.CodeInvalidRequest, "the Idempotency-Key is longer than 256 bytes", "use a random UUID")
	}
	if len(q.Instructions) > chat.MaxInstructions {
		return fault.New(fault.CodeTooLarge, fmt.Sprintf("the system messages are longer than %s", size(chat.MaxInstructions)), "send shorter ones")
	}
	return nil
}

func attachmentsOf(earlier []Exchange) [][]Attachment {
	out := make([][]Attachment, len(earlier))
	for i := range earlier {
		out[i] = earlier[i].Attachments
	}
	return out
}

// adopted returns what is kept of an earlier conversation, with new ids: who brings
// it has the whole of it, and a model is shown the newest part only.
func adopted(earlier []Exchange) []session.Exchange {
	var out []session.Exchange
	for _, e := range earlier[max(0, len(earlier)-chat.MaxEarlier):] {
		out = append(out, session.Exchange{RunID: newID("run"), QuestionID: newID("msg"), AnswerID: newID("msg"), User: e.User, Assistant: e.Assistant, Done: begun(e.Done)})
	}
	return out
}

// begun gives what was done elsewhere ids of its own.
func begun(done []session.Done) []session.Done {
	out := slices.Clone(done)
	for i := range out {
		out[i].AnswerID = newID("msg")
	}
	return out
}

// Regenerate answers a user's message again, as a new branch. Without a message
// it is the last one of the shown branch.
func (m *Manager) Regenerate(ctx context.Context, user, id, messageID, key, requestID string) (chat.Run, error) {
	again := session.Again{RunID: newID("run"), MessageID: messageID, Key: key, RequestID: requestID, Trace: m.env.Trace.Here(ctx)}
	for {
		s, err := m.sessions.lookup(ctx, user, id)
		if err != nil {
			return chat.Run{}, err
		}
		run, err := s.submit(ctx, "", func() (session.Submitted, error) { return s.state.Regenerate(again, s.self, s.Now()) })
		if !errors.Is(err, errOver) {
			return run, err
		}
	}
}

// answerTime is how long a message may take to be stored before its sender is
// told that it is not known whether it was.
const answerTime = 20 * time.Second

// submit makes a run durable and sets it going. It does not end with its caller:
// what may be stored must also be run. decide is called with the lock held.
func (s *open) submit(ctx context.Context, title string, decide func() (session.Submitted, error)) (chat.Run, error) {
	if s.IsDraining() {
		return chat.Run{}, tasks.Draining()
	}
	var run chat.Run
	done := s.Ask(func() (err error) {
		run, err = s.enter(context.WithoutCancel(ctx), title, decide)
		return err
	})
	t := time.NewTimer(answerTime)
	defer t.Stop()
	select {
	case err := <-done:
		return run, err
	case <-t.C:
		return chat.Run{}, bucket.Unavailable(errors.New("no answer in time"))
	case <-ctx.Done():
		return chat.Run{}, ctx.Err()
	}
}

// entrance is a message on its way into the journal.
type entrance struct {
	slot    *semaphore.Weighted
	placed  bool // it has a place among the user's active runs
	sub     session.Submitted
	arrival *arrival
}

// enter brings a message into the journal and its run under way.
func (s *open) enter(ctx context.Context, title string, decide func() (session.Submitted, error)) (chat.Run, error) {
	s.starting.Lock()
	defer s.starting.Unlock()
	if err := s.log.Writable(); err != nil {
		return chat.Run{}, err // before a marker is written, which may be a later version's
	}
	// Who the agent is gets read while the message is being stored, so that on a
	// slow store a run does not wait for one after the other.
	e := entrance{slot: s.slot(s.user.Name), arrival: &arrival{persona: make(chan string, 1), looked: make(chan struct{})}}
	s.Go(func() {
		who := ""
		defer func() { e.arrival.persona <- who }()
		who = s.Persona(ctx, s.user.Name)
	})
	defer close(e.arrival.looked)
	stored := false
	err := s.durable(ctx, title, func() error {
		build := func() ([]record.Record, error) { return e.build(s, decide) }
		err := s.commit(ctx, build)
		if fault.CodeOf(err) == fault.CodeTooManyRuns && e.await(ctx) {
			err = s.commit(ctx, build)
		}
		stored = err == nil && !e.sub.Repeated
		return err
	})
	switch {
	case stored:
		s.carry(e.placed)
	default:
		if e.placed {
			e.slot.Release(1)
		}
		s.checkpointLater() // nothing began, so nobody else removes the marker
	}
	if err == nil {
		// The tombstone is durable before an object goes, so one that is not there now
		// came after the message, or never.
		err = s.checkAlive(ctx)
	}
	e.arrival.lives = err == nil
	return e.sub.Run, err
}

// settling is how long a run that was shown to be over, or to wait, may still hold its
// place.
const settling = 250 * time.Millisecond

// await takes a place as soon as there is one, and reports whether there is. Who sends
// the next message as soon as a run is seen to end comes a moment before that run gives
// its place back, and is not to be refused for it.
func (e *entrance) await(ctx context.Context) bool {
	ctx, stop := context.WithTimeout(ctx, settling)
	defer stop()
	e.placed = e.slot.Acquire(ctx, 1) == nil
	return e.placed
}

// build makes the records of a message, from the session as it is now. A message
// to an idle session starts its run at once, so it needs a place.
func (e *entrance) build(s *open, decide func() (session.Submitted, error)) ([]record.Record, error) {
	if s.life.Phase == session.Ended {
		return nil, errOver
	}
	sub, err := decide()
	if err != nil {
		return nil, err
	}
	if sub.Starts && !e.placed {
		if e.placed = e.slot.TryAcquire(1); !e.placed {
			return nil, fault.New(fault.CodeTooManyRuns, "too many of your runs are active", "wait for one to end, or cancel one; MAX_CONCURRENT_RUNS sets how many there may be").After(5 * time.Second)
		}
	}
	e.sub = sub
	if !sub.Repeated {
		s.arrival = e.arrival
	}
	if sub.Starts {
		e.arrival.run = sub.Run.RunID
	}
	return sub.Records, nil
}

// durable makes everything durable that a message's acknowledgement promises:
// the message, and the pending marker by which a start finds its run. The two do
// not wait for each other.
func (s *open) durable(ctx context.Context, title string, write func() error) error {
	s.mu.Lock()
	row := s.state.SummaryFor(title, chat.At(s.Now()))
	s.mu.Unlock()
	marked := s.Ask(func() error { return bucket.Unavailable(s.mark(ctx, row)) })
	// Neither ends the other: what is stored must be known to be.
	return errors.Join(write(), <-marked)
}
