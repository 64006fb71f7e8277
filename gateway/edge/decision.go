package edge

import (
	"net/http"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Head is a request without its body.
type Head struct {
	Method     string
	Target     string // path and query as sent, escaped
	Host       string
	TLS        bool   // the client's side is HTTPS
	RemoteAddr string // the address of the client's side of the connection, IP or IP:port
	Header     http.Header
	Length     int64 // Content-Length; -1 when not said
	// Body is empty at first. Only a host that was asked for it (Question.Body)
	// fills it in; an empty body is then a slice that is not nil.
	Body []byte
	// RequestID is Decision.RequestID of the Ask that the host comes back from,
	// so that one request keeps one id. Empty at first.
	RequestID string
}

// Decision says what a host does with a request. Exactly one of Respond,
// Asset, Forward, Socket and Ask is set.
type Decision struct {
	RequestID string
	User      string // whom the request speaks for, for the log; empty when nobody asked
	Route     string // the route's template, such as /api/history/:session, for counting; empty where no route is
	// Dialect is how the request's client reads errors, those of the host, too.
	Dialect fault.Dialect
	// Header goes onto the answer, whoever makes it; a name that is here
	// replaces what an agent or the asset store set.
	Header  http.Header
	Respond *Respond
	Asset   *Asset
	Forward *Forward
	Socket  *Socket
	Ask     *Question
}

// Respond is an answer that the core made.
type Respond struct {
	Status int
	Body   []byte
	// Stamp is the text in Body that is the time, where all else but the request's id is
	// the same whenever and by whomever it is asked, unless a browser's page or
	// a client with an id of its own asks: a host may keep it, and set both anew.
	Stamp string
}

// Asset is a file of the page: its name below the root of the built page.
type Asset struct {
	Name   string
	Status int
}

// Forward sends the request on to an agent. The host drops hop-by-hop headers,
// then Drop, then sets Set; it streams the answer and cancels when the client
// goes away.
type Forward struct {
	Upstreams
	Method  string // always set; a HEAD goes to the agent as GET, and its body stays here
	Target  string // path and query
	Drop    []string
	Set     http.Header
	MaxBody int64 // longer: 413 too_large, and nothing is sent
	Stream  bool  // the answer may be an event stream: no time limit on it
	// Pausable: it is one that the agent ends with ?until=idle when nothing runs, and that
	// can be gone on with after its last id. A host whose agents sleep lets them.
	Pausable bool
	// Admin: who asks has that scope. A host that keeps the secrets of servers of tools
	// itself must know.
	Admin bool
}

// Socket accepts a WebSocket. Identity stays beside it; each frame comes back
// to Core.Frame with it.
type Socket struct {
	Identity    Identity
	Subprotocol string
	MaxFrame    int64
}

// Question asks the host for one fact and to come back with it; exactly one
// field is set.
type Question struct {
	Limit *LimitQuestion
	// Body asks for the request's body, at most this many bytes, in Head.Body.
	// A longer one is the host's 413 too_large.
	Body int64
	// Spend asks to mark a key as spent, for Facts.Spent.
	Spend *SpendQuestion
	// Ready asks whether the agents are ready, for Facts.Ready. Only a core with
	// Config.AsksReady asks it.
	Ready bool
	// Agent asks how the user's agent is, without waking it, for Facts.Agent. Only a
	// core with Config.AsksAgent asks it.
	Agent bool
	// AccessKeys asks for the keys of Cloudflare Access, for Facts.AccessKeys. Only
	// a core with Config.Access asks it.
	AccessKeys *KeysQuestion
}
