package edge

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/loongclaw/loongclaw/gateway/access"
)

// Identity is who a request or a socket speaks for.
type Identity = access.Identity

// LimitQuestion asks whether one more is allowed under a key. For the class auth
// one more is a wrong credential, and limit.Strikes says how it is counted.
type LimitQuestion struct {
	Key   string `json:"key"`   // such as "chat:alice"
	Class string `json:"class"` // chat, api or auth
	N     int    `json:"n"`     // allowed for each period, and at once
	Per   int    `json:"per"`   // the period in seconds
	// OnlyReads says that the request can change nothing, so that a host may count it
	// within a share of the limit that it was given before.
	OnlyReads bool `json:"onlyReads,omitempty"`
}

// LimitAnswer is the host's answer.
type LimitAnswer struct {
	Allowed    bool          `json:"allowed"`
	Remaining  int           `json:"remaining"`  // -1 where the host does not know
	Reset      time.Duration `json:"reset"`      // until all are free again
	RetryAfter time.Duration `json:"retryAfter"` // until the next one is free
}

// SpendQuestion asks to mark a key as spent. A host that cannot remember that, or
// that has not remembered ever since From, must answer false.
type SpendQuestion struct {
	Key  string
	User string // whose it is, for a host that keeps such things for each user
	// From and Until are when the key can be spent, in Unix milliseconds: after
	// Until it may be forgotten. Both 0: any time, and it is never forgotten.
	From, Until int64
}

// Facts are the answers that the host has for a request. A host that can
// answer at once (native) fills Limit in; one that must wait (Workers) leaves it
// nil, gets Ask, and comes back with Limits.
type Facts struct {
	Limit  func(LimitQuestion) LimitAnswer
	Limits map[string]LimitAnswer // by key
	// Lease answers a question of a request that only reads from a share of the limit that
	// the host has at hand; it reports whether there is one. A host that must wait has it,
	// and puts what it answered among Limits when it comes back with the same request.
	Lease func(key string) (a LimitAnswer, ok bool)
	// Spend marks a key as spent and reports whether this call did it: true once for
	// every key. Spent are its answers by key, for a host that must wait.
	Spend func(SpendQuestion) bool
	Spent map[string]bool
	// CannotSpend says that the host was asked to, and cannot tell now.
	CannotSpend bool
	// Agents are the agents as they are now; nil means those of Config.Agents, all
	// of them there.
	Agents []Agent
	Ready  *bool  // the agents' readiness, after Question.Ready
	Agent  string // asleep, starting or ready, after Question.Agent
	// AccessKeys are a team's keys, after Question.AccessKeys.
	AccessKeys *KeysAnswer
}

// FrameDecision says what a host does with a client's WebSocket frame.
type FrameDecision struct {
	Send  []json.RawMessage // frames for the client, at once
	Call  *Call             // then this request to the agent
	Close *Close            // then this end
	Ask   *Question         // or first answer this and come back
}

// Call is a request that the host makes of an agent for a socket. An answer
// that is not 2xx becomes an error frame.
type Call struct {
	Upstreams
	Method  string
	Target  string
	Set     http.Header // pass, request id, content type
	Body    []byte
	Session string
	Then    string // what a 2xx answer becomes: one of the Then constants
}

// What a host does with the agent's answer to a Call.
const (
	ThenNothing = "nothing"
	// ThenFollow: the body is a chat.Run; follow Session after its cursor unless
	// this socket follows it already.
	ThenFollow = "follow"
	// ThenRelay: the body is an event stream; every data line becomes a frame.
	// When it breaks the host asks Core.Follow for a new Call and goes on after
	// the last cursor.
	ThenRelay = "relay"
	// ThenHistory: the body, with "type":"history" put in front, is the frame.
	ThenHistory = "history"
	// ThenCleared: send {"type":"history_cleared","sessionId":…}, unless this
	// socket follows Session: then its stream says so.
	ThenCleared = "cleared"
)

// Close ends a socket.
type Close struct {
	Code   int    `json:"code"`
	Reason string `json:"reason"`
}
