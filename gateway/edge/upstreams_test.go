package edge

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

func TestRankByWhatTheHostSaw(t *testing.T) {
	for name, tc := range map[string]struct {
		agents string // a letter each: upper case is away; ~ is a spare; @ is only for the canary
		user   string
		want   string
	}{
		"all there":                     {"a b c", "u", "3 of abc"},
		"one away comes last":           {"a B c", "u", "2 of ac then b"},
		"a spare waits":                 {"a ~b", "u", "1 of a then b"},
		"a spare steps in":              {"A ~b", "u", "1 of b then a"},
		"a spare that is away is last":  {"A ~B", "u", "1 of a then b"},
		"the canary's are for nobody":   {"a @b", "u", "1 of a"},
		"the canary has no other":       {"a @b", "canary", "1 of b"},
		"the canary's away is its only": {"a @B", "canary", "1 of b"},
		"the canary without its own":    {"a b", "canary", "2 of ab"},
		"nobody":                        {"@b", "u", ""},
	} {
		var agents []Agent
		for word := range strings.FieldsSeq(tc.agents) {
			letter := word[len(word)-1:]
			a := Agent{URL: strings.ToLower(letter), Unhealthy: letter != strings.ToLower(letter), Backup: word[0] == '~'}
			if word[0] == '@' {
				a.Users = []string{"canary"}
			}
			agents = append(agents, a)
		}
		got := strings.Join(rank(tc.user, agents), "")
		var n int
		var among, then string
		_, _ = fmt.Sscanf(tc.want, "%d of %s then %s", &n, &among, &then)
		if len(got) != n+len(then) || !strings.HasSuffix(got, then) || strings.Trim(got[:min(n, len(got))], among) != "" {
			t.Errorf("%s: got %q, want %s", name, got, tc.want)
		}
	}
}

// A share takes users from whoever else is there, ever more, and each only once.
func TestAShareGrows(t *testing.T) {
	const users = 1000
	before := map[string]bool{}
	for _, share := range []int{1, 5, 50, 99, 100} {
		n := 0
		for i := range users {
			user := fmt.Sprint("user", i)
			got := rank(user, []Agent{{URL: "new", Weight: share}, {URL: "old", Backup: true}})
			switch {
			case len(got) != 2:
				t.Fatalf("got %q", got)
			case got[0] == "new":
				n++
				before[user] = true
			case before[user]:
				t.Errorf("%s went back with a share of %d", user, share)
			}
			if away := rank(user, []Agent{{URL: "new", Weight: share}, {URL: "old", Backup: true, Unhealthy: true}}); away[0] != "new" {
				t.Errorf("with the old one away: got %q", away)
			}
		}
		if want := users * share / 100; n < want-want/5-10 || n > want+want/5+10 {
			t.Errorf("a share of %d has %d of %d users", share, n, users)
		}
	}
}

func TestMessagesGetAKeyWhereTwoAgentsCouldTakeThem(t *testing.T) {
	c := newCore(t, nil)
	one, two := generous(), generous()
	one.Agents = []Agent{{URL: "http://a"}}
	two.Agents = []Agent{{URL: "http://a", Unhealthy: true}, {URL: "http://b"}}
	for _, tc := range []struct {
		facts  Facts
		head   Head
		key    string // the start of what the agent gets beside the client's own
		repeat bool
		agent  string
	}{
		{one, request("POST", "/api/chat"), "", false, "http://a"},
		{two, request("POST", "/api/chat"), keyPrefix, true, "http://b"},
		{two, request("POST", "/api/sessions/s/runs"), keyPrefix, true, "http://b"},
		{two, request("POST", "/api/sessions/s/regenerate"), keyPrefix, true, "http://b"},
		{two, request("POST", "/api/chat", chat.HeaderIdempotencyKey, "mine"), "", true, "http://b"},
		{one, request("POST", "/api/chat", chat.HeaderIdempotencyKey, "mine"), "", true, "http://a"},
		{two, request("POST", "/api/sessions/s/cancel"), "", false, "http://b"},
		{two, request("DELETE", "/api/sessions/s"), "", false, "http://b"},
		{two, request("PUT", "/api/files/f"), "", false, "http://b"},
		{two, request("GET", "/api/stats"), "", true, "http://b"},
		{two, request("HEAD", "/api/stats"), "", true, "http://b"},
	} {
		f := c.Decide(tc.head, tc.facts).Forward
		if f == nil {
			t.Fatalf("%s %s is not forwarded", tc.head.Method, tc.head.Target)
		}
		key := f.Set.Get(chat.HeaderIdempotencyKey)
		if f.Repeat != tc.repeat || f.Agent != tc.agent || !strings.HasPrefix(key, tc.key) || (key == "") != (tc.key == "") {
			t.Errorf("%s %s: got %+v with key %q", tc.head.Method, tc.head.Target, f.Upstreams, key)
		}
	}
	d := c.Frame(alice, false, []byte(`{"type":"chat","data":{"message":"hi"}}`), two)
	want := Upstreams{Agent: "http://b", Others: []string{"http://a"}, Repeat: true}
	if diff := cmp.Diff(want, d.Call.Upstreams); diff != "" || !strings.HasPrefix(d.Call.Set.Get(chat.HeaderIdempotencyKey), keyPrefix) {
		t.Errorf("a frame: %s %v", diff, d.Call.Set)
	}
}

func TestUntaken(t *testing.T) {
	for _, tc := range []struct {
		status int
		body   string
		want   bool
	}{
		{503, `{"error":"x","code":"draining"}`, true},
		{503, `{"error":"x","code":"unavailable"}`, true},
		{503, `no JSON of ours`, true},
		{503, `{"error":"x","code":"store_unavailable"}`, false},
		{503, `{"error":"x","code":"provider_busy"}`, false},
		{502, `{"error":"x","code":"draining"}`, false},
		{http.StatusOK, ``, false},
	} {
		if got := NotAccepted(tc.status, []byte(tc.body)); got != tc.want {
			t.Errorf("%d %s: got %v", tc.status, tc.body, got)
		}
	}
}
