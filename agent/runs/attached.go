package runs

import (
	"context"
	"errors"

	"github.com/loongclaw/loongclaw/agent/attach"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Attached returns the bytes that a message of a session brought along, and what they
// are by what they hold. The hash must be one that a message of the session names as it
// is now: what else is kept with a session, or with another's, is not found, so that
// nobody learns whether it is there.
func Attached(ctx context.Context, m *Manager, user, id, hash string) (body []byte, mediaType string, err error) {
	if err := chat.CheckSession(id); err != nil {
		return nil, "", err
	}
	s, err := m.sessions.lookup(ctx, user, id)
	if err != nil {
		return nil, "", err
	}
	named := func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return session.Brought(s.state, hash)
	}
	known := named()
	if !known { // another agent may have taken the message in a moment ago
		err = s.takeIn(ctx)
		known = named()
	}
	if err == nil && !known {
		return nil, "", fault.New(fault.CodeNotFound, "no message of this session brought that along", "sha256 in attachments of GET /api/history/{session}?tree=1 names what there is")
	}
	if err == nil {
		body, err = s.user.Attached(ctx, s.id, s.state.Epoch(), hash)
		err = s.explain(ctx, err)
	}
	switch {
	case errors.Is(err, errOver): // a later life has none of it, or other messages
		return Attached(ctx, m, user, id, hash)
	case err != nil:
		return nil, "", err
	}
	if mediaType = attach.Detect(body).MediaType; mediaType == "" {
		mediaType = "application/octet-stream" // an earlier version knew what it is
	}
	return body, mediaType, nil
}
