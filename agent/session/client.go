package session

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/record"
)

// needsClientCalls is the reader that knows of calls which a client runs. One before
// it would take them for calls that a crash has cut short, and answer without their
// results.
const needsClientCalls = 1

// handedLife is how long a run waits for its client.
const handedLife = 24 * time.Hour

// digest sums up the tools.
func (c *Client) digest() string {
	if c == nil || len(c.Tools) == 0 {
		return ""
	}
	return hashOf(string(record.Marshal(c.Tools)))
}

// Output is what a client's tool gave.
type Output struct {
	CallID string // as the client knows it
	Text   string
}

// delegation is a call that a client has run, or is to run.
type delegation struct {
	run    *run
	call   *call
	handed *handed
}

// What a client calls a call: the session, and what tells it from all others there.
// With the four letters before them that is as long as OpenAI's own ids may be.
var (
	clientID     = regexp.MustCompile(`^call_([a-z0-9]{20,24})_[a-z2-7]{10}$`)
	threadName   = regexp.MustCompile(`^v1-[a-z0-9]{20,24}$`)
	threadPrefix = "v1-"
)

// ClientCallID returns the id by which a client knows a call. It names the session of
// a conversation of /v1, so that the results find it after a restart, too, and it is
// the same whenever it is made.
func ClientCallID(session string, epoch uint64, runID, callID string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %d %q %q", session, epoch, runID, callID))
	word := strings.ToLower(base32.StdEncoding.EncodeToString(sum[:20]))
	if !threadName.MatchString(session) {
		return "call_" + word
	}
	return "call_" + strings.TrimPrefix(session, threadPrefix) + "_" + word[:10]
}

// OfClientCall returns the session in which a client was given a call.
func OfClientCall(id string) (session string, ok bool) {
	m := clientID.FindStringSubmatch(id)
	if m == nil {
		return "", false
	}
	return threadPrefix + m[1], true
}

// clients is what a session knows of the clients that bring tools along.
type clients struct {
	delegated map[string]delegation  // calls that they run, by the ids that they know
	toolsets  map[string][]loop.Spec // tools that they brought along, by their digest
}

// of returns what a client brings along as its run has it.
func (k *clients) of(c *Client) *Client {
	if c == nil {
		return nil
	}
	own := *c
	if len(own.Tools) > 0 {
		k.toolsets[own.Digest] = own.Tools
	} else {
		own.Tools = k.toolsets[own.Digest]
	}
	return &own
}

// recorded returns what is to be recorded of what a client brings along: tools that
// the session holds already are not written again.
func (k *clients) recorded(c *Client) *Client {
	if c == nil {
		return nil
	}
	own := *c
	own.Digest = c.digest()
	if _, known := k.toolsets[own.Digest]; known {
		own.Tools = nil
	}
	return &own
}

// hand takes in that a run waits for its client, which knows a call by what name returns.
func (k *clients) hand(b handedBody, r *run, name func(call string) string) error {
	r.handed = &handed{handedBody: b}
	for _, id := range b.Calls {
		c := r.calls[id]
		if c == nil || c.done || !c.Client {
			return fmt.Errorf("it hands over the call %q, which is none of the client's", id)
		}
		k.delegated[name(id)] = delegation{r, c, r.handed}
	}
	return nil
}

// find finds the calls that outputs are of: all of one set. given are the texts
// by the calls' ids in the journal.
func (k *clients) find(outputs []Output) (d delegation, given map[string]string, ok bool) {
	given = map[string]string{}
	for i, o := range outputs {
		one, known := k.delegated[o.CallID]
		if !known || i > 0 && one.handed != d.handed {
			return delegation{}, nil, false
		}
		d, given[one.call.ID] = one, o.Text
	}
	return d, given, len(outputs) > 0
}

// missing are the calls of a set that nothing was given for, as the client knows them.
func (d delegation) missing(given map[string]string, name func(call string) string) (ids []string) {
	for _, id := range d.handed.Calls {
		if _, ok := given[id]; !ok {
			ids = append(ids, name(id))
		}
	}
	return ids
}

// gave reports whether a set has had the very results that are given.
func (d delegation) gave(given map[string]string) bool {
	if len(given) != len(d.handed.Calls) {
		return false
	}
	for _, m := range d.run.steps {
		if m.Role != loop.RoleTool || !slices.Contains(d.handed.Calls, m.CallID) {
			continue
		}
		if text, ok := given[m.CallID]; !ok || KeptResult(text) != m.Text {
			return false
		}
	}
	return true
}
