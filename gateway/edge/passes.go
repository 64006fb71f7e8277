package edge

import (
	"crypto"
	"net/textproto"
	"strings"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

var canonicalPass = textproto.CanonicalMIMEHeaderKey(chat.HeaderPass)

const (
	// passReuse is how long one signature serves: well within pass.Lifetime, so
	// that a pass never arrives old.
	passReuse = 20 * time.Second
	// passBound is how many signatures a generation holds.
	passBound = 2048
)

// passes signs, and remembers signatures for a short time: a signature costs
// more than all the rest of a decision. Two generations bound the memory
// without a timer.
type passes struct {
	key      crypto.Signer
	mu       sync.Mutex
	now, old map[signedFor]signed
}

// signedFor is all that a pass says, but for its time.
type signedFor struct{ method, path, user, scopes, via string }

type signed struct {
	text  string
	until int64 // Unix nanoseconds
}

func newPasses(key crypto.Signer) *passes {
	return &passes{key: key, now: make(map[signedFor]signed)}
}

func (p *passes) sign(id Identity, method, path string, now time.Time) (string, error) {
	key := signedFor{method, path, id.User, strings.Join(id.Scopes, "+"), id.Via}
	if text, ok := p.find(key, now); ok {
		return text, nil
	}
	text, err := pass.Sign(p.key, passFor(id, method, path), now)
	if err != nil {
		return "", err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.now) >= passBound {
		p.old, p.now = p.now, make(map[signedFor]signed)
	}
	p.now[key] = signed{text: text, until: now.Add(passReuse).UnixNano()}
	return text, nil
}

// signWith signs a pass that takes counts of refusals along, for this request
// alone: what is said of them is said once.
func (p *passes) signWith(refused map[string]int, id Identity, method, path string, now time.Time) (string, error) {
	q := passFor(id, method, path)
	q.Refused = refused
	return pass.Sign(p.key, q, now)
}

func passFor(id Identity, method, path string) pass.Pass {
	return pass.Pass{User: id.User, Scopes: id.Scopes, Via: id.Via, Method: method, Path: path}
}

func (p *passes) find(key signedFor, now time.Time) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.now[key]
	if !ok {
		s, ok = p.old[key]
	}
	// A clock that was set back must not keep a pass for longer.
	left := s.until - now.UnixNano()
	return s.text, ok && left > 0 && left <= int64(passReuse)
}
