package edge

import (
	"errors"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// KeysQuestion asks for a team's keys, as they are published at URL. A host keeps
// them for at most an hour. Refresh says that a key is missing in what it has: it
// fetches anew, unless it did within the last minute.
type KeysQuestion struct {
	URL     string
	Refresh bool
}

// KeysAnswer is the host's answer.
type KeysAnswer struct {
	JSON      string // empty: they could not be had
	Refreshed bool   // the answer to Refresh
}

// keysRetry is when to try again after keys could not be had.
const keysRetry = 5 * time.Second

// keySets remembers the last text of keys and what it says: hosts hand the same
// text in again and again.
type keySets struct {
	mu   sync.Mutex
	text string
	set  access.KeySet
}

func (k *keySets) parse(text string) (access.KeySet, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if text == k.text && k.set != nil {
		return k.set, nil
	}
	set, err := access.ParseKeys(text)
	if err != nil {
		return nil, err
	}
	k.text, k.set = text, set
	return set, nil
}

// asserted says whom an assertion of Cloudflare Access speaks for.
func (x *exchange) asserted(text string) error {
	c, team := x.core, x.core.cfg.Access
	if !access.LooksLikeJWT(text) {
		return x.wrongCredential(errAssertion)
	}
	known := x.facts.AccessKeys
	if known == nil {
		return ask{Question{AccessKeys: &KeysQuestion{URL: team.KeysURL()}}}
	}
	if known.JSON == "" {
		return errKeys.After(keysRetry)
	}
	set, err := c.team.parse(known.JSON)
	if err != nil {
		return errKeys.After(keysRetry)
	}
	g, err := team.Verify(text, set, c.cfg.Now())
	if errors.Is(err, access.ErrUnknownKey) && !known.Refreshed {
		return ask{Question{AccessKeys: &KeysQuestion{URL: team.KeysURL(), Refresh: true}}}
	}
	if err != nil {
		return x.wrongCredential(errAssertion)
	}
	g.Via = access.ViaAccess
	x.id = g
	return nil
}

var (
	errAssertion = fault.New(fault.CodeUnauthorized, "the assertion of Cloudflare Access does not count", "log in again at Access; the owner: compare ACCESS_TEAM_DOMAIN and ACCESS_AUD with the application")
	errKeys      = fault.New(fault.CodeUnavailable, "the keys of Cloudflare Access cannot be had", "try again; the owner: see that the gateway reaches ACCESS_TEAM_DOMAIN")
)
