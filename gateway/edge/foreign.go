package edge

import (
	"net/http"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// changes reports whether a request may change something. A socket does.
func (x *exchange) changes() bool {
	switch x.head.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return isUpgrade(x.head.Header)
	}
	return true
}

// ownPage says what the browser tells about the page that asks: that it is this
// gateway's own, or that it is not; it tells nothing when it is no browser.
func (x *exchange) ownPage() (own, told bool) {
	if site := x.head.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin" || site == "none", true
	}
	origin := x.head.Header.Get("Origin")
	return access.SameHost(origin, x.host), origin != ""
}

// notForeign refuses a change that another page asks for. It guards credentials
// that a browser adds by itself, whoever asks.
func (x *exchange) notForeign() error {
	if own, told := x.ownPage(); x.changes() && told && !own {
		return errForeign
	}
	return nil
}

var errForeign = fault.New(fault.CodeOriginRefused, "another page may not change anything with this browser's login", "use the gateway's own page, or send Authorization: Bearer TOKEN")
