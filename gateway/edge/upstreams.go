package edge

import (
	"cmp"
	"hash/fnv"
	"io"
	"net/http"
	"slices"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Agent is an agent as the host sees it now.
type Agent struct {
	URL string // base URL
	// Unhealthy says that it is not there, or does not want requests: it starts, drains
	// or cannot be reached.
	Unhealthy bool
	// Backup is for when all others are away.
	Backup bool
	// Weight is how many users in a hundred it is for, while others still have the
	// rest; 0 is all. A larger share has everybody that a smaller one had.
	Weight int
	// Users, when set, names the users that it is for. These go nowhere else.
	Users []string
}

// Upstreams is where a request goes.
type Upstreams struct {
	Agent string // base URL
	// Others are tried in this order when Agent has taken nothing of the request:
	// it cannot be reached, or refused it as Untaken says.
	Others []string
	// Repeat: the others are tried, too, when nobody knows what Agent took, as long
	// as the client has got nothing of its answer. Doing it twice does it once.
	Repeat bool
}

// selectUpstreams chooses the agents for one user's request, the best first.
func (c *Core) selectUpstreams(user string, f Facts, repeat bool) Upstreams {
	agents := f.Agents
	if agents == nil {
		agents = c.agents
	}
	if len(agents) == 1 && len(agents[0].Users) == 0 {
		return Upstreams{Agent: agents[0].URL, Repeat: repeat} // no choice
	}
	urls := rank(user, agents)
	if len(urls) == 0 {
		return Upstreams{}
	}
	p := Upstreams{Agent: urls[0], Repeat: repeat}
	if len(urls) > 1 {
		p.Others = urls[1:]
	}
	return p
}

// rank orders the agents that may serve a user: those that are there before those
// that are away, spares and then those whose share leaves the user out last among
// each, and else by rendezvous hashing. By that every gateway chooses the same one,
// and when an agent joins or leaves only its own users move. One that is away is
// still named: what the host saw may be old.
func rank(user string, agents []Agent) []string {
	type ranked struct {
		Agent
		left   bool // its share leaves the user out
		weight uint64
	}
	own := slices.ContainsFunc(agents, func(a Agent) bool { return slices.Contains(a.Users, user) })
	all := make([]ranked, 0, len(agents))
	for _, a := range agents {
		if own == slices.Contains(a.Users, user) && (own || len(a.Users) == 0) {
			left := a.Weight > 0 && weight(user, "")%100 >= uint64(a.Weight) //nolint:gosec // 1 to 100
			all = append(all, ranked{a, left, weight(user, a.URL)})
		}
	}
	slices.SortStableFunc(all, func(a, b ranked) int {
		return cmp.Or(order(a.Unhealthy, b.Unhealthy), order(a.left, b.left), order(a.Backup, b.Backup), cmp.Compare(b.weight, a.weight))
	})
	urls := make([]string, len(all))
	for i, a := range all {
		urls[i] = a.URL
	}
	return urls
}

// order puts those that are not before those that are.
func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func weight(user, agent string) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, agent)
	_, _ = h.Write([]byte{0})
	_, _ = io.WriteString(h, user)
	// FNV's last bytes barely reach the high bits; this spreads them.
	v := h.Sum64()
	v ^= v >> 33
	v *= 0xff51afd7ed558ccd
	v ^= v >> 33
	v *= 0xc4ceb9fe1a85ec53
	return v ^ v>>33
}

// NotAccepted reports whether an agent's answer means that it has taken nothing of the
// request: it is starting, or about to stop.
func NotAccepted(status int, body []byte) bool {
	if status != http.StatusServiceUnavailable {
		return false
	}
	code := fault.FromResponse(status, body).Code
	return code == fault.CodeDraining || code == fault.CodeUnavailable
}

// keyed are the paths where an Idempotency-Key makes a repetition harmless.
func keyed(method, path string) bool {
	return method == http.MethodPost && (path == chat.PathChat || path == chat.PathRuns || path == chat.PathRegenerate)
}

// key gives a new message a key of the gateway's own where several agents could
// take it and its client sent none, so that it may be tried again. It reports whether
// there is one now.
func (c *Core) key(set, sent http.Header, f Facts) bool {
	if sent.Get(chat.HeaderIdempotencyKey) != "" || set.Get(chat.HeaderIdempotencyKey) != "" {
		return true
	}
	if len(f.Agents) < 2 {
		return false
	}
	set.Set(chat.HeaderIdempotencyKey, keyPrefix+c.cfg.NewID())
	return true
}

// maxKey is the longest Idempotency-Key, as the agent has it.
const maxKey = 256

// checkKey refuses an Idempotency-Key that would not be one: other bytes than plain
// ones come back changed from a journal, so the second request would not be known
// again; of several keys nobody knows which one is meant.
func checkKey(h http.Header) error {
	keys := h.Values(chat.HeaderIdempotencyKey)
	if len(keys) > 1 || len(keys) == 1 && !plainText(keys[0], maxKey) {
		return errKey
	}
	return nil
}

var errKey = fault.New(fault.CodeInvalidRequest, "the Idempotency-Key cannot be a key", "send one of up to 128 plain ASCII characters, such as a UUID")

// keyPrefix tells the gateway's own keys from clients'.
const keyPrefix = "gateway-"
