package edge

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/gateway/limit"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// The close codes that the core uses.
const (
	closeTooBig  = 1009
	closeExpired = 4401
)

// Connected is the first frame on a socket.
func (c *Core) Connected(_ Identity) json.RawMessage {
	id := c.cfg.NewID()
	return encode(struct {
		Type     string `json:"type"`
		ClientID string `json:"clientId"`
		Message  string `json:"message"`
	}{chat.TypeConnected, "client_" + strconv.FormatInt(c.cfg.Now().UnixMilli(), 10) + "_" + id[:min(9, len(id))], "已连接到 LoongClaw"})
}

// Expired reports whether a socket must close because the credential that it came
// with has run out; nil while it has not.
func (c *Core) Expired(id Identity) *Close {
	if !c.expired(id) {
		return nil
	}
	return &Close{Code: closeExpired, Reason: "the credential expired: log in again"}
}

// Frame says what to do with a client's frame. A refusal is a frame, and the
// socket stays open, except for frames too large and credentials run out.
func (c *Core) Frame(id Identity, binary bool, frame []byte, f Facts) (d FrameDecision) {
	defer func() {
		if p := recover(); p != nil {
			d = c.refuseFrame("", fault.Internal(fmt.Errorf("panic: %v", p)))
		}
	}()
	if end := c.Expired(id); end != nil {
		return FrameDecision{Close: end}
	}
	if len(frame) > MaxFrame {
		return c.tooLarge("")
	}
	in, parseErr := chat.ParseFrame(frame)
	if binary {
		parseErr = fault.New(fault.CodeUnsupported, "binary frames are not understood", "send the JSON as a text frame")
	}
	if parseErr == nil && in.Type == chat.FramePing {
		return FrameDecision{Send: []json.RawMessage{encode(map[string]string{"type": chat.TypePong})}}
	}
	session := ""
	if chat.CheckSession(in.Data.SessionID) == nil {
		session = in.Data.SessionID
	}
	// A frame that is refused costs its place, too: else refusals were free.
	if q, a, ok := c.countFrame(id, in.Type, f); !ok {
		return FrameDecision{Ask: &Question{Limit: &q}}
	} else if !a.Allowed {
		return c.refuseUser(id, session, overLimit(q, a))
	}
	if fault.CodeOf(parseErr) == fault.CodeTooLarge {
		return c.tooLarge(session)
	}
	if parseErr != nil {
		return c.refuseFrame(session, parseErr)
	}
	call, err := c.call(id, in, f)
	if err != nil {
		return c.refuseUser(id, session, err)
	}
	return FrameDecision{Call: call}
}

func (c *Core) countFrame(id Identity, frameType string, f Facts) (LimitQuestion, LimitAnswer, bool) {
	class := limit.API
	if frameType == chat.FrameChat {
		class = limit.Chat
	}
	q := c.limitQuestion(class, id.User)
	a, ok := f.answer(q)
	return q, a, ok
}

func (c *Core) tooLarge(session string) FrameDecision {
	d := c.refuseFrame(session, fault.New(fault.CodeTooLarge, "the message is longer than 256 KiB", "send it in parts, or as a file"))
	d.Close = &Close{Code: closeTooBig, Reason: "the message is longer than 256 KiB"}
	return d
}

func (c *Core) refuseFrame(session string, err error) FrameDecision {
	return FrameDecision{Send: []json.RawMessage{c.ErrorFrame(session, fault.From(err))}}
}

// refuseUser is refuseFrame, and counted for the user's ledger.
func (c *Core) refuseUser(id Identity, session string, err error) FrameDecision {
	c.refusals.add(id.User, fault.CodeOf(err))
	return c.refuseFrame(session, err)
}

// ErrorFrame is an error as a frame; it gets a request id when it has none.
func (c *Core) ErrorFrame(session string, e *fault.Error) json.RawMessage {
	if e.RequestID == "" {
		e = e.With(c.cfg.NewID())
	}
	if s := e.RetrySeconds(); s > 0 {
		e = e.After(time.Duration(s) * time.Second)
	}
	return encode(chat.ErrorFrame{SessionID: session, Error: e})
}

// call is the request that a frame stands for.
func (c *Core) call(id Identity, in chat.Frame, f Facts) (*Call, error) {
	d := in.Data
	of := func(base string) string { return base + "/" + url.PathEscape(d.SessionID) }
	switch in.Type {
	case chat.FrameChat:
		k := Call{Method: http.MethodPost, Target: of(chat.PathSessions) + "/runs", Then: ThenFollow, Body: encode(struct {
			Message  string  `json:"message"`
			ParentID string  `json:"parentId,omitempty"`
			Model    *string `json:"model,omitempty"`

			Attachments chat.AttachmentRefs `json:"attachments,omitempty"`
		}{d.Message, d.ParentID, d.Model, d.Attachments})}
		return c.signChat(id, k, d, f)
	case chat.FrameGetHistory:
		return c.sign(id, d.SessionID, Call{Method: http.MethodGet, Target: of(chat.PathHistory), Then: ThenHistory}, access.ScopeRead, f)
	case chat.FrameClearHistory:
		return c.sign(id, d.SessionID, Call{Method: http.MethodDelete, Target: of(chat.PathHistory), Then: ThenCleared}, access.ScopeChat, f)
	case chat.FrameCancel:
		k := Call{Method: http.MethodPost, Target: of(chat.PathSessions) + "/cancel", Then: ThenNothing, Body: encode(struct {
			RunID string `json:"runId,omitempty"`
		}{d.RunID})}
		return c.sign(id, d.SessionID, k, access.ScopeChat, f)
	case chat.FrameApprove:
		if chat.CheckSession(d.ApprovalID) != nil {
			return nil, fault.New(fault.CodeInvalidRequest, "approvalId cannot be an id", "send the approvalId of the approval_required event")
		}
		k := Call{Method: http.MethodPost, Target: "/api/approvals/" + url.PathEscape(d.ApprovalID), Then: ThenNothing, Body: encode(map[string]string{"decision": d.Decision})}
		return c.sign(id, d.SessionID, k, access.ScopeChat, f)
	case chat.FrameSubscribe:
		return c.follow(id, d.SessionID, place(d.After, d.Tail), f)
	}
	return nil, fault.New(fault.CodeUnknownType, "未知消息类型: "+in.Type, "send chat, get_history, clear_history, cancel, approve, subscribe or ping")
}

// Follow is the request for a session's events, with a fresh pass. The host
// adds ?after=CURSOR: the pass binds the path without the query. A credential
// that has run out, or that may not read, gives a Call without a pass, which
// the agent refuses; hosts ask Expired first.
func (c *Core) Follow(id Identity, session string, f Facts) Call {
	k, err := c.follow(id, session, nil, f)
	if err != nil {
		return Call{Session: session, Then: ThenRelay}
	}
	return *k
}

func (c *Core) follow(id Identity, session string, from url.Values, f Facts) (*Call, error) {
	target := chat.PathSessions + "/" + url.PathEscape(session) + "/events"
	k, err := c.sign(id, session, Call{Method: http.MethodGet, Target: target, Then: ThenRelay}, access.ScopeRead, f)
	if err != nil {
		return nil, err
	}
	k.Set.Set("Accept", "text/event-stream")
	if len(from) > 0 {
		k.Target += "?" + from.Encode()
	}
	return k, nil
}

// place is where in a session a subscription begins. A cursor says it alone.
func place(after string, tail *int) url.Values {
	switch {
	case after != "":
		return url.Values{"after": {after}}
	case tail != nil:
		return url.Values{"tail": {strconv.Itoa(*tail)}}
	}
	return nil
}

// sign completes a call: who asks, of which agent, with which pass.
func (c *Core) sign(id Identity, session string, k Call, scope string, f Facts) (*Call, error) {
	if err := requireScope(id, scope); err != nil {
		return nil, err
	}
	set, err := c.passHeader(id, c.cfg.NewID(), k.Method, k.Target, c.cfg.Now())
	if err != nil {
		return nil, err
	}
	k.Upstreams, k.Session, k.Set = c.selectUpstreams(id.User, f, k.Method == http.MethodGet), session, set
	if k.Body != nil {
		k.Set.Set("Content-Type", "application/json")
	}
	return &k, nil
}

// signChat completes a message, which may have a key.
func (c *Core) signChat(id Identity, k Call, d chat.FrameData, f Facts) (*Call, error) {
	if !plainText(d.IdempotencyKey, maxFrameKey) {
		return nil, errKey
	}
	signed, err := c.sign(id, d.SessionID, k, access.ScopeChat, f)
	if err != nil {
		return nil, err
	}
	if d.IdempotencyKey != "" {
		signed.Set.Set(chat.HeaderIdempotencyKey, d.IdempotencyKey)
	}
	signed.Repeat = c.key(signed.Set, nil, f)
	return signed, nil
}

// maxFrameKey is the longest key in a frame.
const maxFrameKey = 128

// plainText reports whether a client's text of at most so many bytes is plain: it
// can forge no header, and comes back from a journal as it was.
func plainText(s string, most int) bool {
	if len(s) > most {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// encode writes a frame out of strings and numbers, which cannot fail.
func encode(v any) json.RawMessage {
	b, _ := json.Marshal(v)
	return b
}
