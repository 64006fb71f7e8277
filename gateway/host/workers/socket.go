package workers

import (
	"encoding/json"
	"net/http"

	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// socket answers what the object that holds the WebSockets asks. The answers are
// JSON: a frame is rarer than a request, and has parts within parts.
func (b *bridge) socket(op, in string) (out string, ok bool) {
	r := reader{rest: in, more: true}
	if b.core == nil {
		return asText(closeNow), op == opFrame || op == opConnected || op == opFollow || op == opExpired
	}
	switch op {
	case opFrame:
		id, binary, facts, frame, err := decodeFrame(in)
		if err != nil {
			return asText(closeNow), true
		}
		return asText(frameOut(b.core.Frame(id, binary, frame, facts))), true
	case opConnected:
		return string(b.core.Connected(r.identity())), true
	case opFollow:
		return asText(callOut(b.core.Follow(r.identity(), r.text(), edge.Facts{}))), true
	case opExpired:
		return asText(frameAnswer{Close: b.core.Expired(r.identity())}), true
	case opRefusal:
		session, status := r.text(), int(r.number())
		if status == http.StatusUnauthorized {
			return string(b.core.ErrorFrame(session, failure(failPass))), true
		}
		return string(b.core.ErrorFrame(session, fault.From(fault.FromResponse(status, []byte(r.rest))))), true
	case opFailure:
		return string(b.core.ErrorFrame(r.text(), failure(r.text()))), true
	case opKey:
		return b.core.PublicKey(), true
	}
	return "", false
}

// closeRestart is the close code 1012, "service restart".
const closeRestart = 1012

// closeNow ends a socket that nobody can decide about any more.
var closeNow = frameAnswer{Close: &edge.Close{Code: closeRestart, Reason: "the gateway restarts: connect again"}}

// frameAnswer is edge.FrameDecision for JavaScript.
type frameAnswer struct {
	Send  []string            `json:"send,omitempty"`
	Call  *callAnswer         `json:"call,omitempty"`
	Close *edge.Close         `json:"close,omitempty"`
	Limit *edge.LimitQuestion `json:"limit,omitempty"`
}

// callAnswer is edge.Call for JavaScript.
type callAnswer struct {
	Agent   string      `json:"agent"`
	Method  string      `json:"method"`
	Target  string      `json:"target"`
	Set     [][2]string `json:"set"`
	Body    string      `json:"body,omitempty"`
	Session string      `json:"session"`
	Then    string      `json:"then"`
}

func frameOut(d edge.FrameDecision) frameAnswer {
	a := frameAnswer{Close: d.Close}
	for _, f := range d.Send {
		a.Send = append(a.Send, string(f))
	}
	if d.Call != nil {
		k := callOut(*d.Call)
		a.Call = &k
	}
	if d.Ask != nil {
		a.Limit = d.Ask.Limit
	}
	return a
}

func callOut(k edge.Call) callAnswer {
	a := callAnswer{Agent: k.Agent, Method: k.Method, Target: k.Target, Body: string(k.Body), Session: k.Session, Then: k.Then}
	for name, values := range k.Set {
		for _, v := range values {
			a.Set = append(a.Set, [2]string{name, v})
		}
	}
	return a
}

// asText writes an answer, which is made of strings and numbers and cannot fail.
func asText(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}
