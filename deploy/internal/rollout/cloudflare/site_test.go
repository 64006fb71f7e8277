package cloudflare

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/rollout"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// siteToken is what the real gateway behind the site calls the canary's.
const siteToken = "the-token-behind-the-site"

// site is what was deployed, as far as a rollout sees it: a real gateway and a real
// agent, and before them a switch that does what wrangler/objects/switch.mjs does, with the
// secrets that the account holds.
type site struct {
	*httptest.Server
	a     *account
	proxy *httputil.ReverseProxy

	mu     sync.Mutex
	state  switchState
	sick   rollout.Slot // its agents answer 500
	trial  rollout.Slot
	orders []string
	open   bool // strangers come in
}

func newSite(t *testing.T, a *account) *site {
	t.Helper()
	model, err := fakeprovider.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(model.Close)
	bin, err := testenv.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	stack, err := testenv.Up(t.Context(), testenv.Options{Bin: bin, Dir: t.TempDir(), Tokens: CanaryName + ":" + siteToken, Model: model.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stack.Down)
	target, err := url.Parse(stack.Base)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{a: a, state: switchState{Serves: rollout.Blue, Held: map[rollout.Slot]held{}}}
	s.proxy = &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if r.URL.Path == "/api/rollout" {
		s.operate(w, r, bearer)
		return
	}
	canary := strings.TrimPrefix(s.a.secret("LOONGCLAW_CANARY"), CanaryName+":")
	s.mu.Lock()
	sick, open := s.trial == s.sick && s.sick != "", s.open
	s.mu.Unlock()
	switch {
	case bearer == canary && canary != "" && sick:
		w.WriteHeader(http.StatusInternalServerError)
		return
	case bearer == canary && canary != "":
		r.Header.Set("Authorization", "Bearer "+siteToken)
	case bearer == siteToken:
		r.Header.Del("Authorization")
	case open && r.URL.Path == "/api/sessions":
		_, _ = w.Write([]byte(`{"sessions":[]}`))
		return
	}
	s.proxy.ServeHTTP(w, r)
}

func (s *site) operate(w http.ResponseWriter, r *http.Request, bearer string) {
	if key := s.a.secret("ROLLOUT_KEY"); key == "" || bearer != key {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var o order
	if r.Method == http.MethodPost {
		_ = json.NewDecoder(r.Body).Decode(&o)
		s.orders = append(s.orders, strings.TrimSpace(o.Do+" "+string(o.Slot)))
	}
	switch o.Do {
	case "serve":
		s.state.Serves = o.Slot
	case "keep":
		h := s.state.Held[s.state.Serves]
		h.Kept = true
		s.state.Held[s.state.Serves] = h
	case "hold":
		s.state.Held[o.Slot] = held{Name: o.Name, Image: o.Image}
	case "try":
		s.trial = o.Slot
	case "dismiss":
		s.trial = ""
	}
	_ = json.NewEncoder(w).Encode(s.state)
}

// told returns the orders since it was last asked.
func (s *site) told() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { s.orders = nil }()
	return strings.Join(s.orders, ", ")
}
