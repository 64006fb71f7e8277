package mcpserver

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/memory"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// toolsOf are the tools of one caller.
type toolsOf struct {
	agent Config
	Caller
}

// How many things a list gives, by default and at most.
const (
	usual = 20
	most  = 100
)

func limit(n int) int {
	if n <= 0 {
		return usual
	}
	return min(n, most)
}

type sessionsIn struct {
	Query string `json:"query,omitempty" jsonschema:"words of the title or of the messages"`
	Limit int    `json:"limit,omitempty" jsonschema:"how many at most, 20 by default, 100 at most"`
}

type sessionsOut struct {
	Sessions []sessionRow `json:"sessions"`
}

type sessionRow struct {
	ID        string `json:"id"`
	Title     string `json:"title"`
	UpdatedAt string `json:"updatedAt"`
	Messages  int    `json:"messages"`
	State     string `json:"state" jsonschema:"idle, running, waiting (for the user's decision) or failed"`
}

func (t toolsOf) sessions(ctx context.Context, in sessionsIn) (sessionsOut, error) {
	out := sessionsOut{Sessions: []sessionRow{}}
	all, err := t.agent.Lists.Sessions(ctx, t.User, in.Query)
	if err != nil {
		return out, err
	}
	for _, s := range all[:min(len(all), limit(in.Limit))] {
		out.Sessions = append(out.Sessions, sessionRow{s.ID, s.Title, s.UpdatedAt.String(), s.Messages, string(s.State)})
	}
	return out, nil
}

type historyIn struct {
	Session string `json:"session" jsonschema:"the id of a conversation"`
	Limit   int    `json:"limit,omitempty" jsonschema:"the newest messages only: how many, 20 by default, 100 at most"`
}

type historyOut struct {
	Session  string       `json:"session"`
	Messages []messageRow `json:"messages"`
}

type messageRow struct {
	ID        string `json:"id"`
	Role      string `json:"role"`
	Content   string `json:"content"`
	Timestamp string `json:"timestamp"`
	Queued    bool   `json:"queued,omitempty" jsonschema:"it waits for its turn"`
}

func (t toolsOf) history(ctx context.Context, in historyIn) (historyOut, error) {
	out := historyOut{Session: in.Session, Messages: []messageRow{}}
	if _, err := t.agent.Runs.Session(ctx, t.User, in.Session); err != nil {
		return out, err // History takes a session that is not there for an empty one
	}
	h, err := t.agent.Runs.History(ctx, t.User, in.Session, runs.View{Limit: limit(in.Limit)})
	if err != nil {
		return out, err
	}
	for _, m := range h.Messages {
		out.Messages = append(out.Messages, messageRow{m.ID, m.Role, m.Content, m.Timestamp.String(), m.Queued})
	}
	return out, nil
}

type sendIn struct {
	Message        string `json:"message" jsonschema:"what to say to the agent"`
	Session        string `json:"session,omitempty" jsonschema:"the id of a conversation; a new one when left out"`
	IdempotencyKey string `json:"idempotencyKey,omitempty" jsonschema:"the same key and message again within 24 hours give the same run, so that a request whose answer was lost can be repeated; it needs session"`
}

type sendOut struct {
	Session string `json:"session"`
	RunID   string `json:"runId"`
	Cursor  string `json:"cursor" jsonschema:"give it to run_wait, which then need not read the whole conversation"`
}

func (t toolsOf) send(ctx context.Context, in sendIn) (sendOut, error) {
	if !t.MayWrite {
		return sendOut{}, fault.New(fault.CodeForbidden, "this needs the scope chat", "use a token that has it")
	}
	if in.Session == "" {
		if in.IdempotencyKey != "" {
			return sendOut{}, fault.New(fault.CodeInvalidRequest, "an idempotencyKey counts within a conversation, and none is named", "name a session; a new name begins a new conversation")
		}
		in.Session = "mcp-" + strings.ToLower(rand.Text()[:20])
	}
	run, err := t.agent.Runs.Start(ctx, t.User, in.Session, runs.Request{
		// The user can decide in the page: approvals_list tells the client of it.
		Message: in.Message, Key: in.IdempotencyKey, Interactive: true, RequestID: t.RequestID,
	})
	return sendOut{Session: run.SessionID, RunID: run.RunID, Cursor: run.Cursor}, err
}

type waitIn struct {
	Session string `json:"session" jsonschema:"the conversation's id, from session_send"`
	RunID   string `json:"runId" jsonschema:"the run's id, from session_send"`
	Cursor  string `json:"cursor,omitempty" jsonschema:"the cursor from session_send"`
	Seconds int    `json:"seconds,omitempty" jsonschema:"how long to wait at most, 50 by default and at most"`
}

type waitOut struct {
	Status   string       `json:"status" jsonschema:"running, waiting (for the user's decision), done, cancelled, failed or interrupted"`
	Answer   string       `json:"answer,omitempty" jsonschema:"what the agent has said, as far as it is complete"`
	Approval *approvalRow `json:"approval,omitempty" jsonschema:"what the run waits for"`
	Error    string       `json:"error,omitempty"`
}

// The states of a run that has not ended.
const (
	stillRuns  = "running"
	waitsForUs = "waiting"
)

// longestWait is below the time after which clients give a call up.
const longestWait = 50 * time.Second

func (t toolsOf) wait(ctx context.Context, in waitIn) (waitOut, error) {
	w := waiting{run: in.RunID, out: waitOut{Status: stillRuns}}
	f, err := t.agent.Runs.Follow(ctx, t.User, in.Session, in.Cursor)
	if err != nil {
		return w.out, err
	}
	defer f.Close()
	// What is idle has told everything: a run that is not among it is none of this
	// conversation, or came before the cursor.
	f.UntilIdle = true
	patience := longestWait
	if in.Seconds > 0 {
		patience = min(patience, time.Duration(in.Seconds)*time.Second)
	}
	soon, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		events, err := f.Next(soon)
		for _, e := range events {
			w.take(e)
		}
		switch {
		case w.settled:
			return w.out, nil
		case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
			return w.out, nil
		case errors.Is(err, runs.ErrIdle) && !w.seen:
			return w.out, fault.New(fault.CodeNotFound, "there is no run "+in.RunID+" in this conversation behind the cursor", "leave cursor out, or take runId and session from session_send")
		case errors.Is(err, runs.ErrIdle):
			return w.out, nil
		case err != nil:
			return w.out, err
		}
	}
}

// waiting is what events say of a run.
type waiting struct {
	run     string
	out     waitOut
	seen    bool
	settled bool // nothing more comes without somebody's doing
}

func (w *waiting) take(e chat.Event) {
	if e.RunID != w.run {
		return
	}
	w.seen, w.settled = true, false
	switch e.Type {
	case chat.TypeApprovalRequired:
		w.out.Status, w.settled = waitsForUs, true
		w.out.Approval = &approvalRow{ApprovalID: e.ApprovalID, Session: e.SessionID, RunID: e.RunID, Tool: e.Name, Scope: e.Scope}
		if e.ExpiresAt != nil {
			w.out.Approval.ExpiresAt = e.ExpiresAt.String()
		}
	case chat.TypeApprovalResolved:
		w.out.Status, w.out.Approval = stillRuns, nil
	case chat.TypeMessageComplete:
		w.out.Answer = strings.TrimPrefix(w.out.Answer+"\n\n"+e.Text(), "\n\n")
	case chat.TypeRunFinished:
		w.out.Status, w.out.Approval, w.settled = e.Status, nil, true
		if e.Error != nil {
			w.out.Error = told(e.Error).Error()
		}
	}
}

type memoryIn struct {
	Query string `json:"query" jsonschema:"words to look for, in English or Chinese"`
	Limit int    `json:"limit,omitempty" jsonschema:"how many at most, 20 by default, 100 at most"`
}

type memoryOut struct {
	Items []memoryRow `json:"items"`
}

type memoryRow struct {
	ID        string   `json:"id"`
	Type      string   `json:"type"`
	Content   string   `json:"content"`
	Tags      []string `json:"tags,omitempty"`
	Timestamp string   `json:"timestamp"`
}

func (t toolsOf) searchMemory(ctx context.Context, in memoryIn) (memoryOut, error) {
	out := memoryOut{Items: []memoryRow{}}
	u, err := t.agent.Users.Get(ctx, t.User)
	if err != nil {
		return out, err
	}
	if err := u.Refresh(ctx); err != nil { // another agent may have remembered something
		return out, err
	}
	items, err := u.Memory.Search(ctx, memory.Query{Text: in.Query, Limit: limit(in.Limit)})
	for _, it := range items {
		out.Items = append(out.Items, memoryRow{it.ID, it.Type, it.Content, it.Tags, it.Timestamp.String()})
	}
	return out, err
}

type approvalsIn struct{}

type approvalsOut struct {
	Approvals []approvalRow `json:"approvals"`
}

type approvalRow struct {
	ApprovalID string `json:"approvalId"`
	Session    string `json:"session"`
	RunID      string `json:"runId"`
	Tool       string `json:"tool"`
	Scope      string `json:"scope" jsonschema:"exactly what an approval would allow"`
	ExpiresAt  string `json:"expiresAt"`
}

func (t toolsOf) approvals(ctx context.Context, _ approvalsIn) (approvalsOut, error) {
	out := approvalsOut{Approvals: []approvalRow{}}
	all, err := t.agent.Lists.Approvals(ctx, t.User)
	for _, a := range all {
		out.Approvals = append(out.Approvals, approvalRow{a.ApprovalID, a.SessionID, a.RunID, a.Name, a.Scope, a.ExpiresAt.String()})
	}
	return out, err
}
