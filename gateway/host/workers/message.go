package workers

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// sep is between the fields of a message: one string crosses the border far
// cheaper than many values, and neither URLs nor headers can hold a NUL.
// edge/message.mjs is the other end.
const sep = "\x00"

// ContainerAgent is the address of the user's own container, which only the
// Worker can reach: objects/agents.mjs knows it.
const ContainerAgent = "http://agent.internal"

// The calls.
const (
	opWarm      = "warm"      // nothing; outside a request
	opConfigure = "configure" // name, value, …
	opDecide    = "decide"    // see decodeDecide
	opFail      = "fail"      // kind, request id, target

	opConnected = "connected" // identity
	opFrame     = "frame"     // see decodeFrame
	opFollow    = "follow"    // identity, session
	opExpired   = "expired"   // identity
	opRefusal   = "refusal"   // session, status, the agent's answer
	opFailure   = "failure"   // session, kind
	opKey       = "key"       // nothing
)

// The kinds of decisions.
const (
	kindRespond = "respond"
	kindAsset   = "asset"
	kindForward = "forward"
	kindSocket  = "socket"
	kindLimit   = "limit"
	kindBody    = "body"
	kindSpend   = "spend"
	kindReady   = "ready"
	kindAgent   = "agent"
	kindKeys    = "keys"
)

// encode writes kind, request id, route, the answer's headers, and what the kind has.
func encode(d edge.Decision) string {
	var w writer
	switch {
	case d.Respond != nil:
		w.head(kindRespond, d)
		w.number(d.Respond.Status)
		w.text(d.Respond.Stamp)
		w.text(string(d.Respond.Body)) // last: a body may hold anything
	case d.Asset != nil:
		w.head(kindAsset, d)
		w.text(d.Asset.Name)
		w.number(d.Asset.Status)
	case d.Forward != nil:
		w.head(kindForward, d)
		w.forward(d.Forward, d.User)
	case d.Socket != nil:
		w.head(kindSocket, d)
		w.socket(d.Socket)
	case d.Ask != nil:
		w.ask(d)
	default:
		return encodeFault(fault.Internal(errors.New("the core decided nothing")).With(d.RequestID), d.Dialect)
	}
	return w.b.String()
}

// encodeFault writes the decision to answer with an error.
func encodeFault(err *fault.Error, dialect fault.Dialect) string {
	header, answer := edge.Refusal(err, dialect)
	return encode(edge.Decision{RequestID: err.RequestID, Header: header, Respond: &answer})
}

type writer struct{ b strings.Builder }

func (w *writer) text(s string) {
	if w.b.Len() > 0 {
		w.b.WriteString(sep)
	}
	w.b.WriteString(s)
}

func (w *writer) number(n int) { w.text(strconv.Itoa(n)) }

func (w *writer) flag(f bool) {
	if f {
		w.text("1")
		return
	}
	w.text("")
}

func (w *writer) head(kind string, d edge.Decision) {
	w.text(kind)
	w.text(d.RequestID)
	w.text(d.Route)
	w.header(d.Header)
}

// header writes the number of pairs and then name, value, …. A name with
// several values comes several times: joining with commas would break
// Set-Cookie.
func (w *writer) header(h http.Header) {
	n := 0
	for _, values := range h {
		n += len(values)
	}
	w.number(n)
	for name, values := range h {
		for _, v := range values {
			w.text(name)
			w.text(v)
		}
	}
}

func (w *writer) forward(f *edge.Forward, user string) {
	w.text(f.Agent)
	w.text(user)
	w.text(f.Method)
	w.text(f.Target)
	w.text(strconv.FormatInt(f.MaxBody, 10))
	w.flag(f.Stream)
	w.flag(f.Pausable)
	w.flag(f.Admin)
	w.header(f.Set)
	w.number(len(f.Drop))
	for _, name := range f.Drop {
		w.text(name)
	}
}

func (w *writer) socket(s *edge.Socket) {
	id, _ := json.Marshal(s.Identity) // strings and a number: cannot fail
	w.text(string(id))
	w.text(s.Subprotocol)
	w.text(strconv.FormatInt(s.MaxFrame, 10))
}

func (w *writer) ask(d edge.Decision) {
	switch q := d.Ask; {
	case q.Limit != nil:
		w.head(kindLimit, d)
		w.text(q.Limit.Key)
		w.text(q.Limit.Class)
		w.number(q.Limit.N)
		w.number(q.Limit.Per)
		w.flag(q.Limit.OnlyReads)
	case q.Body > 0:
		w.head(kindBody, d)
		w.text(strconv.FormatInt(q.Body, 10))
	case q.Spend != nil:
		w.head(kindSpend, d)
		w.text(q.Spend.Key)
		w.text(q.Spend.User)
		w.text(strconv.FormatInt(q.Spend.Until, 10))
	case q.Agent:
		w.head(kindAgent, d)
		w.text(d.User)
	case q.AccessKeys != nil:
		w.head(kindKeys, d)
		w.text(q.AccessKeys.URL)
		w.flag(q.AccessKeys.Refresh)
	default:
		w.head(kindReady, d)
	}
}
