package httpapi

import (
	"net/http"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

func TestAPassBringsSignInsAndRefusalsIntoTheLedger(t *testing.T) {
	r := newRigThatRests(t, time.Millisecond)
	lines := func() []any { return r.call(http.MethodGet, chat.PathLedger, "", 200)["lines"].([]any) }
	r.log.Reset()
	if got := lines(); len(got) != 0 {
		t.Fatalf("a new user's ledger has %v", got)
	}
	for _, p := range []pass.Pass{
		{User: "alice", Scopes: []string{"read"}, Via: "token:0a1b2c3d4e5f"},
		{User: "alice", Scopes: []string{"read"}, Via: "token:0a1b2c3d4e5f", Refused: map[string]int{"forbidden": 3}},
		{User: "bob", Scopes: []string{"read"}, Via: "jwt"},
	} {
		q := r.request(http.MethodGet, chat.PathUsage, "")
		r.allow(q, p)
		r.do(q)
	}
	q := r.request(http.MethodGet, chat.PathUsage, "")
	q.Header.Set(chat.HeaderPass, "forged")
	r.do(q)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		found := map[string]float64{}
		for _, l := range lines() {
			line := l.(map[string]any)
			via, _ := line["via"].(string)
			code, _ := line["code"].(string)
			count, _ := line["count"].(float64)
			found[line["what"].(string)+" "+via+code] += max(count, 1)
		}
		if len(found) == 2 && found["sign_in token:0a1b2c3d4e5f"] == 1 && found["refused forbidden"] == 3 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the ledger has %v", found)
		}
	}
	if got := r.call(http.MethodGet, chat.PathLedger+"?limit=1", "", 200)["lines"].([]any); len(got) != 1 {
		t.Errorf("limit=1 gives %v", got)
	}
	refused(t, "a limit that is none", r.do(r.request(http.MethodGet, chat.PathLedger+"?limit=x", "")), 400, "invalid_request")
}
