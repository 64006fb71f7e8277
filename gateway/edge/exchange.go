package edge

import (
	"encoding/json"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// exchange is one request on its way to a decision. To echo it is the
// ResponseWriter: its header becomes the decision's.
type exchange struct {
	core   *Core
	head   Head
	facts  Facts
	header http.Header
	d      Decision

	path, query string // as sent, escaped
	addr        netip.Addr
	tls         bool
	host        string
	id          Identity
	route       string
	status      int
	at          time.Time // when it was decided, once asked for
}

// maxHeaders is how many headers an answer of the core has, or few more: a map that
// need not grow. From 15 on it would take twice the memory.
const maxHeaders = 14

func newExchange(c *Core, h Head, f Facts) *exchange {
	x := &exchange{core: c, head: h, facts: f, header: make(http.Header, maxHeaders), tls: h.TLS, host: h.Host}
	if x.head.Header == nil {
		x.head.Header = http.Header{}
	}
	return x
}

// now is the time of the decision: one for all that it asks.
func (x *exchange) now() time.Time {
	if x.at.IsZero() {
		x.at = x.core.cfg.Now()
	}
	return x.at
}

// of is the exchange that a handler works on.
func of(c echo.Context) *exchange { return c.Response().Writer.(*exchange) }

func (x *exchange) request(u *url.URL) *http.Request {
	return &http.Request{
		Method: x.head.Method, URL: u, Header: x.head.Header, Host: x.head.Host, RemoteAddr: x.head.RemoteAddr,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody,
	}
}

// Header, Write and WriteHeader make it echo's ResponseWriter. Only echo's own
// answer to OPTIONS writes; everything of ours sets the decision.
func (x *exchange) Header() http.Header { return x.header }

func (x *exchange) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader notes the status that echo itself chose.
func (x *exchange) WriteHeader(status int) { x.status = status }

// decision is what came out.
func (x *exchange) decision() Decision {
	if d := x.d; x.status != 0 && d.Respond == nil && d.Asset == nil && d.Forward == nil && d.Socket == nil && d.Ask == nil {
		x.d.Respond = &Respond{Status: x.status}
	}
	d := x.d
	d.RequestID, d.Header, d.User, d.Route, d.Dialect = x.requestID(), x.header, x.id.User, x.route, x.dialect()
	return d
}

// requestID is the host's when it comes back, else the client's when it can
// stand in a log line, else new. It is settled once.
func (x *exchange) requestID() string {
	if v := x.header[chat.HeaderRequestID]; len(v) == 1 {
		return v[0]
	}
	id := x.head.RequestID
	if id == "" {
		if id = x.head.Header.Get(chat.HeaderRequestID); !plainID(id) {
			id = x.core.cfg.NewID()
		}
	}
	x.header[chat.HeaderRequestID] = []string{id}
	return id
}

func plainID(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '_' && r != '.'
	})
}

// respond answers with JSON.
func (x *exchange) respond(status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	x.header["Content-Type"] = jsonType
	x.d = Decision{Respond: &Respond{Status: status, Body: body}}
	return nil
}

// refuse answers with an error.
func (x *exchange) refuse(err error) {
	e := fault.From(err).With(x.requestID())
	x.core.refusals.add(x.id.User, e.Code)
	header, answer := Refusal(e, x.dialect())
	maps.Copy(x.header, header)
	x.d = Decision{Respond: &answer}
}

// dialect is the one in which this request's client reads errors.
func (x *exchange) dialect() fault.Dialect { return fault.DialectOf(x.head.Target) }

var (
	jsonType = []string{"application/json; charset=utf-8"}
	bearer   = []string{`Bearer realm="loongclaw"`}
)

// ask stops a chain of handlers with a question for the host.
type ask struct{ Question }

func (ask) Error() string { return "edge: the host must answer first" }

// onError is echo's error handler: every refusal and every question ends here.
func onError(err error, c echo.Context) {
	x := of(c)
	var q ask
	if errors.As(err, &q) {
		x.d = Decision{Ask: &q.Question}
		return
	}
	if isUnknown(err) && x.browses() {
		x.unknown()
		return
	}
	var e *echo.HTTPError
	if errors.As(err, &e) {
		err = x.fromEcho(e)
	}
	x.refuse(err)
}

// fromEcho gives echo's own refusals our form.
func (x *exchange) fromEcho(e *echo.HTTPError) error {
	switch e.Code {
	case http.StatusNotFound:
		// The original's words.
		return fault.New(fault.CodeNotFound, "Not found", "see docs/PROTOCOL.md for the paths that exist")
	case http.StatusMethodNotAllowed:
		return fault.New(fault.CodeMethod, "this path does not know the method "+clipMethod(x.head.Method), "use one of the methods in the Allow header")
	}
	return fault.Internal(e)
}

func clipMethod(m string) string {
	if len(m) > 16 {
		return m[:16]
	}
	return m
}

var _ http.ResponseWriter = (*exchange)(nil)

// port is the port at which the client sees this gateway.
func (x *exchange) port() string {
	if _, port, err := net.SplitHostPort(x.host); err == nil {
		return port
	}
	if x.tls {
		return "443"
	}
	return "80"
}
