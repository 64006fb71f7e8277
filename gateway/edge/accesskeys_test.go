package edge

import (
	"testing"

	"github.com/loongclaw/loongclaw/gateway/access"
)

// What the keys decide is access's; here is when they are asked for.
func TestTeamKeysAreAskedFor(t *testing.T) {
	const set = `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`
	const kid = "eyJhbGciOiJFZERTQSIsImtpZCI6ImIifQ.e30.AA" // {"alg":"EdDSA","kid":"b"}
	c := newCore(t, func(cfg *Config) {
		cfg.Access = &access.CloudflareAccess{Origin: "https://team.example.com", Audience: []string{"a"}}
	})
	head := request("GET", "/api/stats", "Authorization", "", access.HeaderAssertion, kid)
	d := c.Decide(head, generous())
	if d.Ask == nil || d.Ask.AccessKeys == nil || d.Ask.AccessKeys.Refresh || d.Ask.AccessKeys.URL != "https://team.example.com/cdn-cgi/access/certs" {
		t.Fatalf("got %+v, want a question for the keys", d)
	}
	for name, tc := range map[string]struct {
		keys   KeysAnswer
		status int
	}{
		"none": {KeysAnswer{}, 503}, "not keys": {KeysAnswer{JSON: "<html>"}, 503}, "unknown after all": {KeysAnswer{JSON: set, Refreshed: true}, 401},
	} {
		facts := generous()
		facts.AccessKeys = &tc.keys
		d := c.Decide(head, facts)
		if status, _ := refusal(t, d); status != tc.status {
			t.Errorf("%s: got %d, want %d", name, status, tc.status)
		}
		if tc.status == 503 && d.Header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", name)
		}
	}
	facts := generous()
	facts.AccessKeys = &KeysAnswer{JSON: set}
	if d := c.Decide(head, facts); d.Ask == nil || d.Ask.AccessKeys == nil || !d.Ask.AccessKeys.Refresh {
		t.Errorf("an unknown kid: got %+v, want a question for new keys", d)
	}
	// Authorization wins, and without the configuration the header says nothing.
	if d := c.Decide(request("GET", "/api/stats", access.HeaderAssertion, kid), generous()); d.Forward == nil || d.User != "alice" {
		t.Errorf("beside a token: got %+v", d)
	}
	if status, _ := refusal(t, newCore(t, nil).Decide(head, Facts{})); status != 401 {
		t.Errorf("not configured: got %d", status)
	}
}
