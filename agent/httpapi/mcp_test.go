package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

func TestABrowserIsLedBackToThePage(t *testing.T) {
	for _, tc := range []struct {
		name string
		err  error
		want string
	}{
		{"mine", nil, "/tools/mine?authorization=granted"},
		{"mine", fault.New(fault.CodeForbidden, "no", ""), "/tools/mine?authorization=denied"},
		{"mine", fault.New(fault.CodeUnavailable, "no", ""), "/tools/mine?authorization=failed"},
		{"", fault.New(fault.CodeNotFound, "no", ""), "/tools?authorization=unknown"},
		{"", errors.New("no"), "/tools?authorization=failed"},
	} {
		if got := backToPage(tc.name, tc.err); got != tc.want {
			t.Errorf("%q, %v: %s, want %s", tc.name, tc.err, got, tc.want)
		}
	}
	store, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	r := newRigOn(t, store, parrot{}, 0)
	r.Servers = servers(store)
	defer r.Servers.Close()
	q := r.request(http.MethodGet, chat.PathServerReturn+"?code=a&state=b", "")
	q.Header.Set("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
	if w := r.do(q); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/tools?authorization=unknown" {
		t.Errorf("a browser: %d to %q", w.Code, w.Header().Get("Location"))
	}
	refused(t, "a program", r.do(r.request(http.MethodGet, chat.PathServerReturn+"?code=a&state=b", "")), 404, fault.CodeNotFound)
}

func TestAPageLearnsWhatItsUserMayDo(t *testing.T) {
	r := newRig(t)
	for _, scopes := range []string{"read", "read chat", "read chat admin"} {
		q := httptest.NewRequestWithContext(t.Context(), http.MethodGet, chat.PathConfig, nil)
		r.allow(q, pass.Pass{User: "alice", Scopes: strings.Fields(scopes)})
		var got struct{ Scopes []string }
		if err := json.Unmarshal(r.do(q).Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Scopes, strings.Fields(scopes)) {
			t.Errorf("%s: %q", scopes, got.Scopes)
		}
	}
}
