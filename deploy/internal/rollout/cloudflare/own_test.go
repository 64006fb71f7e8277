package cloudflare

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The keys of the switch go over https, to the Worker's own hosts, and nowhere else.
func TestKeysGoToTheWorkersOwnAddressAlone(t *testing.T) {
	own := target{
		Routes: []route{{Pattern: "ai.example.com", Custom: true}, {Pattern: "www.example.com/*"}, {Pattern: "*.example.net/*"}},
		Vars:   map[string]string{publicURL: "https://loongclaw.bears.workers.dev"},
	}
	remembered := memory{Address: "https://old.bears.workers.dev", Hosts: []string{"second.example.com"}}
	for _, tt := range []struct{ address, want, fault string }{
		{address: "https://ai.example.com", want: "https://ai.example.com"},
		{address: "https://AI.Example.com:443/", want: "https://ai.example.com"},
		{address: "https://www.example.com", want: "https://www.example.com"},
		{address: "https://loongclaw.bears.workers.dev", want: "https://loongclaw.bears.workers.dev"},
		{address: "https://old.bears.workers.dev", want: "https://old.bears.workers.dev"},
		{address: "https://second.example.com", want: "https://second.example.com"},
		{address: "", want: "https://ai.example.com"},

		{address: "http://ai.example.com", fault: "is not https"},
		{address: "ftp://ai.example.com", fault: "is not https"},
		{address: "HTTP://ai.example.com", fault: "is not https"},
		{address: "http://127.0.0.1:8787", fault: "is not https"},
		{address: "ai.example.com", fault: "no address of a Worker"},
		{address: "https://ai.example.com/api", fault: "no address of a Worker"},
		{address: "https://ai.example.com?x", fault: "no address of a Worker"},
		{address: "https://ai.example.com#x", fault: "no address of a Worker"},
		{address: "https://ai.example.com@evil.example", fault: "no address of a Worker"},
		{address: "https://ai.example.com:8443", fault: "has a port"},
		{address: "https://evil.example", fault: "sent nowhere else"},
		{address: "https://ai.example.com.evil.example", fault: "sent nowhere else"},
		{address: "https://loongclaw.wolves.workers.dev", fault: "sent nowhere else"},
		{address: "https://any.example.net", fault: "sent nowhere else"},
		{address: "https://ai.example.com.", fault: "sent nowhere else"},
	} {
		p := &Platform{Env: "production", Address: tt.address, to: own}
		got, err := p.own(remembered)
		if tt.fault == "" && (err != nil || got != tt.want) {
			t.Errorf("%q: got %q, %v, want %q", tt.address, got, err, tt.want)
		}
		if tt.fault != "" && (err == nil || got != "" || !strings.Contains(err.Error(), tt.fault) || !strings.Contains(err.Error(), "\nNext: ")) {
			t.Errorf("%q: got %q, %v, want %q", tt.address, got, err, tt.fault)
		}
	}
}

// Without a domain it is what wrangler named, or what wrangler.jsonc says.
func TestTheAddressThatIsNotNamed(t *testing.T) {
	for _, tt := range []struct {
		vars map[string]string
		m    memory
		want string
	}{
		{want: ""},
		{m: memory{Address: "https://loongclaw.bears.workers.dev"}, want: "https://loongclaw.bears.workers.dev"},
		{vars: map[string]string{publicURL: "https://ai.example.com"}, want: "https://ai.example.com"},
	} {
		p := &Platform{to: target{Vars: tt.vars}}
		if got, err := p.own(tt.m); err != nil || got != tt.want {
			t.Errorf("got %q, %v, want %q", got, err, tt.want)
		}
	}
}

func TestWhatWranglerNames(t *testing.T) {
	for _, tt := range []struct{ targets, want []string }{
		{targets: []string{"https://loongclaw.bears.workers.dev", "schedule: */5 * * * *"}, want: []string{"https://loongclaw.bears.workers.dev"}},
		{targets: []string{"https://loongclaw.bears.workers.dev", "ai.example.com (custom domain)"}, want: []string{"https://ai.example.com", "https://loongclaw.bears.workers.dev"}},
		{targets: []string{"ai.example.com (custom domain - zone name: example.com)"}, want: []string{"https://ai.example.com"}},
		{targets: []string{"example.com/* (zone name: example.com)", "schedule: 0 * * * *"}},
		{},
	} {
		if got := addressesOf(tt.targets); !slices.Equal(got, tt.want) {
			t.Errorf("%q: got %q, want %q", tt.targets, got, tt.want)
		}
	}
}

// Environments inherit routes, and may have their own; a route may be its pattern.
func TestRoutesAreRead(t *testing.T) {
	text, err := os.ReadFile("../../../../wrangler/wrangler.jsonc")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ change, by, want string }{
		"none":         {want: ""},
		"its own":      {change: `"name": "loongclaw-staging",`, by: `"name": "loongclaw-staging", "routes": ["x.example.com/*", {"pattern": "AI.example.com", "custom_domain": true}],`, want: "https://ai.example.com"},
		"inherited":    {change: `"main": "worker.mjs",`, by: `"main": "worker.mjs", "routes": [{"pattern": "ai.example.com", "custom_domain": true}],`, want: "https://ai.example.com"},
		"a wider one":  {change: `"main": "worker.mjs",`, by: `"main": "worker.mjs", "routes": [{"pattern": "*.example.com/*", "zone_name": "example.com"}],`, want: ""},
		"patterns all": {change: `"main": "worker.mjs",`, by: `"main": "worker.mjs", "routes": ["ai.example.com/*"],`, want: ""},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "wrangler.jsonc"), []byte(strings.Replace(string(text), tt.change, tt.by, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		if to, err := readTarget(dir, "staging"); err != nil || to.domain() != tt.want {
			t.Errorf("%s: got %q, %v, want %q", name, to.domain(), err, tt.want)
		}
	}
}

// A key that is on its way to the Worker does not go on to where that leads.
func TestTheDoorFollowsNothing(t *testing.T) {
	asked := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer other.Close()
	here := httptest.NewServer(nil)
	defer here.Close()
	here.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := other.URL
		if r.URL.Query().Has("since") {
			to = here.URL // the same host, where a client would send the key along
		}
		if r.URL.Path != "/api/rollout" {
			asked++
			return
		}
		http.Redirect(w, r, to+"/x", http.StatusTemporaryRedirect)
	})
	d := Operator{Base: here.URL, Key: "canary-of-the-key", HTTP: http.DefaultClient}
	if err := d.Keep(t.Context()); err == nil || asked != 0 {
		t.Errorf("got %v, and %d were asked", err, asked)
	}
	if _, err := d.Figures(t.Context(), "blue", time.Now()); err == nil || asked != 0 {
		t.Errorf("got %v, and %d were asked", err, asked)
	}
}

// The gateway is told its address with the upload wherever that is known before.
func TestTheGatewayIsToldItsAddress(t *testing.T) {
	for name, tt := range map[string]struct {
		base string
		to   target
		m    memory
		want string
	}{
		"a first deploy":        {},
		"a domain":              {to: target{Routes: []route{{Pattern: "ai.example.com", Custom: true}}}, want: "https://ai.example.com"},
		"what was asked":        {base: "https://www.example.com", to: target{Routes: []route{{Pattern: "ai.example.com", Custom: true}}}, want: "https://www.example.com"},
		"what wrangler named":   {m: memory{Address: "https://loongclaw.bears.workers.dev"}, want: "https://loongclaw.bears.workers.dev"},
		"wrangler.jsonc has it": {base: "https://www.example.com", to: target{Vars: map[string]string{publicURL: "https://ai.example.com"}}},
	} {
		secrets := map[string]string{}
		p := &Platform{base: tt.base, to: tt.to}
		if err := p.tellOwn(t.Context(), tt.m, secrets); err != nil || secrets[publicURL] != tt.want {
			t.Errorf("%s: got %q, %v, want %q", name, secrets[publicURL], err, tt.want)
		}
	}
}
