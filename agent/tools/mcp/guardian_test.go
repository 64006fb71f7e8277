package mcp_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/tools/mcp"
)

// guardian is a server of tools that wants an authorization, and the authorization
// server that gives it. Each refresh token counts once.
type guardian struct {
	*web
	front, grants *httptest.Server // the server of tools, and its authorization server

	mu      sync.Mutex
	life    time.Duration // of a token
	access  []string      // tokens that count
	refresh string        // the one that counts
	issued  int
	renewed int
	denies  bool           // no renewal any more
	onToken func()         // is called when a token is asked for
	change  map[string]any // of the metadata of the authorization server
	about   string         // the authorization server that the server names, if another
}

func newGuardian(t *testing.T) *guardian {
	t.Helper()
	g := &guardian{web: newWeb(t), life: time.Hour, change: map[string]any{}}
	g.grants = httptest.NewServer(http.HandlerFunc(g.grant))
	g.front = httptest.NewServer(http.HandlerFunc(g.guard))
	t.Cleanup(g.grants.Close)
	t.Cleanup(g.front.Close)
	return g
}

func (g *guardian) private() map[string]bool {
	return map[string]bool{address(g.front): true, address(g.grants): true}
}

func (g *guardian) guard(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	g.mu.Lock()
	counts, about := slices.Contains(g.access, token), g.grants.URL
	if g.about != "" {
		about = g.about
	}
	g.mu.Unlock()
	if strings.HasPrefix(r.URL.Path, "/.well-known/oauth-protected-resource") {
		answer(w, 200, map[string]any{"resource": g.front.URL, "authorization_servers": []string{about}, "scopes_supported": []string{"use"}})
		return
	}
	if !counts {
		w.Header().Set("WWW-Authenticate", `Bearer resource_metadata="`+g.front.URL+`/.well-known/oauth-protected-resource"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	g.Config.Handler.ServeHTTP(w, r)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (g *guardian) grant(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/.well-known/"):
		meta := map[string]any{
			"issuer": g.grants.URL, "authorization_endpoint": g.grants.URL + "/authorize", "token_endpoint": g.grants.URL + "/token", "registration_endpoint": g.grants.URL + "/register",
			"response_types_supported": []string{"code"}, "code_challenge_methods_supported": []string{"S256"}, "grant_types_supported": []string{"authorization_code", "refresh_token"},
			"token_endpoint_auth_methods_supported": []string{"none"}, "authorization_response_iss_parameter_supported": true,
		}
		for name, v := range g.change {
			meta[name] = v
		}
		answer(w, 200, meta)
	case r.URL.Path == "/register":
		var asked map[string]any
		_ = json.NewDecoder(r.Body).Decode(&asked)
		asked["client_id"] = "the-client"
		asked["token_endpoint_auth_method"] = "none"
		answer(w, 201, asked)
	case r.URL.Path == "/token":
		g.token(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (g *guardian) token(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.onToken != nil {
		g.onToken()
	}
	_ = r.ParseForm()
	switch kind := r.PostForm.Get("grant_type"); {
	case kind == "authorization_code" && r.PostForm.Get("code") == "the-code" && r.PostForm.Get("code_verifier") != "":
	case kind == "refresh_token" && !g.denies && r.PostForm.Get("refresh_token") == g.refresh:
		g.renewed++
	default:
		answer(w, 400, map[string]any{"error": "invalid_grant", "error_description": "it was " + r.PostForm.Get("refresh_token")})
		return
	}
	g.issued++
	g.refresh = fmt.Sprintf("canary-refresh-%d", g.issued)
	g.access = append(g.access, fmt.Sprintf("canary-access-%d", g.issued))
	answer(w, 200, map[string]any{"access_token": g.access[len(g.access)-1], "token_type": "Bearer", "expires_in": int(g.life.Seconds()), "refresh_token": g.refresh})
}

var applicant = mcp.Applicant{Callback: "https://claw.example.org/api/mcp/callback"}

// leave begins an authorization, and returns what the person comes back with.
func (r *rig) leave(user, name string) (url.Values, error) {
	r.t.Helper()
	to, err := r.source.Authorize(r.t.Context(), user, true, name, applicant)
	if err != nil {
		return nil, err
	}
	at, err := url.Parse(to)
	if err != nil {
		r.t.Fatal(err)
	}
	q := at.Query()
	if q.Get("code_challenge_method") != "S256" || q.Get("redirect_uri") != applicant.Callback || q.Get("resource") == "" || len(q.Get("state")) < 20 {
		r.t.Errorf("the person is sent to %s", to)
	}
	return url.Values{"code": {"the-code"}, "state": {q.Get("state")}, "iss": {at.Scheme + "://" + at.Host}}, nil
}

// authorize does what a person does who says yes.
func (r *rig) authorize(user, name string) {
	r.t.Helper()
	back, err := r.leave(user, name)
	if err != nil {
		r.t.Fatal(err)
	}
	if got, err := r.source.Authorized(r.t.Context(), user, back); err != nil || got != name {
		r.t.Fatalf("%q, %v", got, err)
	}
}
