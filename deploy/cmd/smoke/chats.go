package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
)

// greeting is what any model answers in a few words, the offline one included. The
// nonce makes it this visit's: sessions that get no name of ours are found by it.
func (v *visit) greeting() string {
	return "Hello (" + idPrefix(v.nonce) + ")! This is a test of the connection. Answer in a few words."
}

// chatOverJSON waits for a whole answer. What was said is looked for later.
func chatOverJSON(ctx context.Context, v *visit) error {
	s := said{session: v.session("json"), message: v.greeting()}
	var a struct{ Message, SessionID, RunID, MessageID, Finish string }
	if err := v.user.Want(ctx, http.StatusOK, http.MethodPost, "/api/chat", map[string]string{"message": s.message, "sessionId": s.session}, &a); err != nil {
		return err
	}
	switch {
	case a.Message == "" || a.RunID == "" || a.MessageID == "":
		return unlike("message, runId and messageId in the body", "one of them is absent or empty")
	case a.SessionID != s.session:
		return unlike("the session that was named", "another one")
	case a.Finish == "":
		return unlike(`"finish" in the body, which says how the answer ended`, "it is absent")
	}
	s.answer, s.runID = a.Message, a.RunID
	v.said = s
	return nil
}

// chatOverSSE reads an answer as it comes.
func chatOverSSE(ctx context.Context, v *visit) error {
	s, err := patiently(ctx, func() (client.Stream, error) { return v.user.Chat(ctx, v.session("sse"), v.greeting()) })
	if err != nil {
		return err
	}
	defer s.Cut()
	return wholeAnswer(s, "")
}

// chatOverSocket sends a message in a frame, and a ping before it.
func chatOverSocket(ctx context.Context, v *visit) error {
	s, err := v.user.Dial(ctx, "/ws")
	if err != nil {
		return err
	}
	defer s.Cut()
	if err := s.SendRaw([]byte(`{"type":"ping"}`)); err != nil {
		return err
	}
	if e, err := s.Next(); err != nil || e.Type != "pong" {
		return unlike("the answer pong to a ping", "%s", frame(e, err))
	}
	session := v.session("ws")
	if err := s.Send("chat", map[string]any{"message": v.greeting(), "sessionId": session}); err != nil {
		return err
	}
	return wholeAnswer(s, session)
}

// wholeAnswer reads until a run has ended well, and holds the pieces to the whole.
func wholeAnswer(s client.Stream, session string) error {
	l := client.NewLedger()
	for {
		e, err := s.Next()
		switch {
		case errors.Is(err, io.EOF):
			return unlike("the event run_finished", "the stream ended before it")
		case err != nil:
			return err
		case e.Type == "error":
			return unlike("the events of a run", "%s", frame(e, nil))
		case e.Type == "status" || session != "" && e.SessionID != session:
			continue
		}
		if err := l.Take(e); err != nil {
			return unlike("chunks that make up the message", "%v", err)
		}
		if e.Type != "run_finished" {
			continue
		}
		answers := l.Answers[e.RunID]
		switch {
		case e.Status != "done":
			return unlike("a run that ends as done", "%s", frame(e, nil))
		case len(answers) == 0 || answers[len(answers)-1].Text() == "":
			return unlike("the event message_complete with an answer", "none before run_finished")
		}
		return nil
	}
}

// frame is what came, without anybody's words.
func frame(e client.Event, err error) string {
	if err != nil {
		return err.Error()
	}
	out := "a frame of the type " + e.Type
	if e.Status != "" {
		out += ", status " + e.Status
	}
	if f := e.Fault(); f.Code != "" {
		out += fmt.Sprintf(", code %s: %s (%s)", f.Code, f.Error, f.Hint)
	}
	return out
}

// patiently opens a stream; an answer that passes by itself is waited for.
func patiently(ctx context.Context, open func() (client.Stream, error)) (client.Stream, error) {
	for {
		s, err := open()
		var refused *client.Refused
		if err == nil || !errors.As(err, &refused) || !refused.Answer.MayPass() {
			return s, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(refused.Answer.RetryAfter()):
		}
	}
}

// replay reads the session of the tool call anew, and compares.
func replay(ctx context.Context, v *visit) error { return v.talk.Replay(ctx) }
