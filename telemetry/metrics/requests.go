package metrics

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Requests are those that a program has answered.
type Requests struct {
	count *Children[request, prometheus.Counter]
	took  *Children[request, prometheus.Observer] // without the status
}

type request struct {
	route, method, kind string
	status              int
}

// Requests registers what is counted of a program's requests. whose says which they are.
func (r *Registry) Requests(program, whose string) *Requests {
	count := r.Counter("loongclaw_"+program+"_requests_total", whose+" that were answered.", "route", "method", "code")
	took := r.Histogram("loongclaw_"+program+"_request_duration_seconds", "Time from a request's head to the end of its answer.", Buckets(), "route", "method", "kind")
	return &Requests{
		count: NewChildren(func(k request) prometheus.Counter {
			return count.WithLabelValues(k.route, k.method, strconv.Itoa(k.status))
		}),
		took: NewChildren(func(k request) prometheus.Observer { return took.WithLabelValues(k.route, k.method, k.kind) }),
	}
}

// unrouted stands for every path that is no route's.
const unrouted = "none"

// Answered counts a request. The route is a template, or empty.
func (q *Requests) Answered(route, method, kind string, status int, took time.Duration) {
	if route == "" {
		route = unrouted
	}
	k := request{route: route, method: known(method), kind: kind}
	q.took.Of(k).Observe(took.Seconds())
	k.kind, k.status = "", code(status)
	q.count.Of(k).Inc()
}

var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

// known returns a method, when it is one of HTTP's: a client may send any word.
func known(method string) string {
	if slices.Contains(methods, method) {
		return method
	}
	return "other"
}

// code returns a status, or 0 for what is none of HTTP's.
func code(status int) int {
	if status < 100 || status > 599 {
		return 0
	}
	return status
}
