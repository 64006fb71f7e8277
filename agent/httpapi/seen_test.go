package httpapi

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type ear struct{ told []string }

func (e *ear) Answered(route, method, kind string, status int, took time.Duration) {
	e.told = append(e.told, fmt.Sprintf("%s %q %s %d", method, route, kind, status))
	if took < 0 {
		e.told = append(e.told, "took less than nothing")
	}
}

// The route is a template: what a user named is not in it.
func TestTheObserverHearsOfEveryRequest(t *testing.T) {
	r := newRig(t)
	e := &ear{}
	c := r.Config
	c.Seen = e
	r.Server = New(c)
	r.call(http.MethodPost, "/api/chat", `{"message":"hi","sessionId":"mine"}`, http.StatusOK)
	r.call(http.MethodGet, "/api/history/mine", "", http.StatusOK)
	r.call(http.MethodGet, "/api/sessions/nobodys", "", http.StatusNotFound)
	r.do(r.request(http.MethodGet, "/no/such/path", ""))
	q := r.request(http.MethodGet, "/api/stats", "")
	q.Header.Del("X-LoongClaw-Pass")
	r.do(q)
	want := []string{
		`POST "/api/chat" stream 200`, `GET "/api/history/:session" plain 200`, `GET "/api/sessions/:session" plain 404`,
		`GET "" plain 404`, `GET "/api/stats" plain 401`,
	}
	if d := cmp.Diff(want, e.told); d != "" {
		t.Errorf("heard (-want +got):\n%s", d)
	}
}
