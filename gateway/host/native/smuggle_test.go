package native

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// heard is what an agent was asked, as it came.
type heard struct {
	mu  sync.Mutex
	all []string
}

func (a *heard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	a.mu.Lock()
	a.all = append(a.all, fmt.Sprintf("%s %s %s", r.Method, r.RequestURI, b))
	a.mu.Unlock()
	_, _ = io.WriteString(w, "the agent's answer")
}

func (a *heard) take() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := a.all
	a.all = nil
	return all
}

// smuggled is what no proxy before the gateway and no agent behind it may read in
// another way than the gateway does: each is refused, and the connection closed, or
// it is one plain request.
var smuggled = map[string]struct {
	text string
	want string // the status; of one that is let pass, too
}{
	"two lengths that differ":                 {"POST /api/approvals/a HTTP/1.1\r\nHost: x\r\nAUTH\r\nContent-Length: 2\r\nContent-Length: 40\r\n\r\n{}", "400"},
	"two lengths in one line":                 {"POST /api/approvals/a HTTP/1.1\r\nHost: x\r\nAUTH\r\nContent-Length: 2, 40\r\n\r\n{}", "400"},
	"a length with a sign":                    {"POST /api/approvals/a HTTP/1.1\r\nHost: x\r\nAUTH\r\nContent-Length: +2\r\n\r\n{}", "400"},
	"a negative length":                       {"POST /api/approvals/a HTTP/1.1\r\nHost: x\r\nAUTH\r\nContent-Length: -1\r\n\r\n{}", "400"},
	"a length in hex":                         {"POST /api/approvals/a HTTP/1.1\r\nHost: x\r\nAUTH\r\nContent-Length: 0x2\r\n\r\n{}", "400"},
	"an empty length":                         {"POST /api/approvals/a HTTP/1.1\r\nHost: x\r\nAUTH\r\nContent-Length:\r\n\r\n{}", "400"},
	"a length beyond all numbers":             {"POST /api/approvals/a HTTP/1.1\r\nHost: x\r\nAUTH\r\nContent-Length: 18446744073709551617\r\n\r\n{}", "400"},
	"two codings":                             {"POST /api/approvals/a HTTP/1.1\r\nHost: x\r\nAUTH\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "501"},
	"chunked and another coding":              {"POST /api/approvals/a HTTP/1.1\r\nHost: x\r\nAUTH\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501"},
	"a coding that is not chunked":            {"POST /api/approvals/a HTTP/1.1\r\nHost: x\r\nAUTH\r\nTransfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}", "501"},
	"a coding that almost is":                 {"POST /api/approvals/a HTTP/1.1\r\nHost: x\r\nAUTH\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "501"},
	"a coding after a vertical tab":           {"POST /api/approvals/a HTTP/1.1\r\nHost: x\r\nAUTH\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n", "400"},
	"a chunk without a size":                  {"POST /api/approvals/a HTTP/1.1\r\nHost: x\r\nAUTH\r\nTransfer-Encoding: chunked\r\n\r\nxx\r\n{}\r\n0\r\n\r\n", "400"},
	"a chunk longer than it says":             {"POST /api/approvals/a HTTP/1.1\r\nHost: x\r\nAUTH\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n", "400"},
	"a chunk beyond all numbers":              {"POST /api/approvals/a HTTP/1.1\r\nHost: x\r\nAUTH\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n", "400"},
	"a space before a colon":                  {"POST /api/approvals/a HTTP/1.1\r\nHost: x\r\nAUTH\r\nContent-Length : 2\r\n\r\n{}", "400"},
	"a space before a name":                   {"GET /api/stats HTTP/1.1\r\n Host: x\r\nAUTH\r\n\r\n", "400"},
	"a name that is none":                     {"GET /api/stats HTTP/1.1\r\nHost: x\r\nAUTH\r\nX(y): 1\r\n\r\n", "400"},
	"a value with NUL":                        {"GET /api/stats HTTP/1.1\r\nHost: x\r\nAUTH\r\nX-Y: a\x00b\r\n\r\n", "400"},
	"a value with a bare CR":                  {"GET /api/stats HTTP/1.1\r\nHost: x\r\nAUTH\r\nX-Y: a\rX-LoongClaw-User: root\r\n\r\n", "400"},
	"a line without a colon":                  {"GET /api/stats HTTP/1.1\r\nHost: x\r\nAUTH\r\nGET /api/tools HTTP/1.1\r\n\r\n", "400"},
	"no Host":                                 {"GET /api/stats HTTP/1.1\r\nAUTH\r\n\r\n", "400"},
	"two Hosts":                               {"GET /api/stats HTTP/1.1\r\nHost: x\r\nHost: y\r\nAUTH\r\n\r\n", "400"},
	"a Host with a space":                     {"GET /api/stats HTTP/1.1\r\nHost: x y\r\nAUTH\r\n\r\n", "400"},
	"a Host with a slash":                     {"GET /api/stats HTTP/1.1\r\nHost: x/y\r\nAUTH\r\n\r\n", "400"},
	"a target with a space":                   {"GET /api/stats /x HTTP/1.1\r\nHost: x\r\nAUTH\r\n\r\n", "400"},
	"a target without a slash":                {"GET api/stats HTTP/1.1\r\nHost: x\r\nAUTH\r\n\r\n", "400"},
	"a method that is none":                   {"G(T /api/stats HTTP/1.1\r\nHost: x\r\nAUTH\r\n\r\n", "400"},
	"a version that is none":                  {"GET /api/stats HTTP/3.9\r\nHost: x\r\nAUTH\r\n\r\n", "505"},
	"the preface of HTTP/2":                   {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "4"},
	"CONNECT":                                 {"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\nAUTH\r\nConnection: close\r\n\r\n", "4"},
	"TRACE":                                   {"TRACE /api/stats HTTP/1.1\r\nHost: x\r\nAUTH\r\nConnection: close\r\n\r\n", "405"},
	"a body after a refusal is no request":    {"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 45\r\nConnection: close\r\n\r\nGET /api/stats HTTP/1.1\r\nHost: x\r\nAUTH\r\n\r\n", "404"},
	"an upgrade to HTTP/2 stays here":         {"GET /api/stats HTTP/1.1\r\nHost: x\r\nAUTH\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", "200"},
	"a target with another host in it":        {"GET http://evil.example.com/api/stats HTTP/1.1\r\nHost: x\r\nAUTH\r\nConnection: close\r\n\r\n", "200"},
	"a length beside chunked: chunked counts": {"POST /api/approvals/a HTTP/1.1\r\nHost: x\r\nAUTH\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nGET /api/tools HTTP/1.1\r\nHost: x\r\nAUTH\r\n\r\n", "200"},
	"a line that goes on: one value":          {"GET /api/stats HTTP/1.1\r\nHost: x\r\nAUTH\r\nX-Y: a\r\n X-LoongClaw-User: root\r\nConnection: close\r\n\r\n", "200"},
	"a trailer is no header":                  {"POST /api/approvals/a HTTP/1.1\r\nHost: x\r\nAUTH\r\nTransfer-Encoding: chunked\r\nTrailer: X-LoongClaw-User\r\nConnection: close\r\n\r\n2\r\n{}\r\n0\r\nX-LoongClaw-User: root\r\n\r\n", "200"},
}

func TestSmuggledRequestsComeToNothing(t *testing.T) {
	agent := &heard{}
	r := newRig(t, agent)
	for name, tc := range smuggled {
		t.Run(name, func(t *testing.T) {
			agent.take()
			answer := r.raw(t, strings.ReplaceAll(tc.text, "AUTH", "Authorization: Bearer "+aliceToken))
			if !bytes.HasPrefix(answer, []byte("HTTP/1.1 "+tc.want)) {
				t.Errorf("got %.200q, want the status %s", answer, tc.want)
			}
			if n := bytes.Count(answer, []byte("HTTP/1.1 ")); n != 1 {
				t.Errorf("%d answers to one request: %.600q", n, answer)
			}
			asked := agent.take()
			switch {
			case tc.want != "200" && len(asked) > 0:
				t.Errorf("the agent was asked %q", asked)
			case tc.want == "200" && (len(asked) != 1 || asked[0] != "GET /api/stats " && asked[0] != "POST /api/approvals/a {}"):
				t.Errorf("the agent was asked %q, want one plain request", asked)
			}
		})
	}
}
