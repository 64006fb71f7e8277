package cloudflare

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestTheGuardAgainstFloodsFollowsTheLimits(t *testing.T) {
	for _, tt := range []struct {
		chat, api string
		want      int
	}{
		{"30/m", "600/m", 3150},
		{"1/s", "10/s", 3300},
		{"60/h", "600/m", 3300}, // 60 at once are a burst of one minute
	} {
		env := map[string]any{
			"vars":       map[string]any{"RATE_LIMIT_CHAT": tt.chat, "RATE_LIMIT_API": tt.api},
			"ratelimits": []any{map[string]any{"name": "LIMIT_FLOOD", "simple": map[string]any{"limit": 1, "period": 10}}},
		}
		if err := guard(env); err != nil {
			t.Errorf("%s and %s: %v", tt.chat, tt.api, err)
			continue
		}
		b, _ := json.Marshal(env["ratelimits"])
		var got []struct{ Simple struct{ Limit, Period int } }
		if err := json.Unmarshal(b, &got); err != nil || got[0].Simple.Limit != tt.want || got[0].Simple.Period != 60 {
			t.Errorf("%s and %s: got %s, want %d a minute", tt.chat, tt.api, b, tt.want)
		}
	}
	for want, env := range map[string]map[string]any{
		"RATE_LIMIT_API":                        {"vars": map[string]any{"RATE_LIMIT_CHAT": "30/m", "RATE_LIMIT_API": "lots"}},
		"no binding LIMIT_FLOOD\nNext: compare": {"vars": map[string]any{"RATE_LIMIT_CHAT": "30/m", "RATE_LIMIT_API": "600/m"}},
	} {
		if err := guard(env); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}

// What wrangler.jsonc says for `wrangler dev` and for who reads it is what a deploy
// would make of it.
func TestTheFileSaysWhatADeployMakes(t *testing.T) {
	_, plain, err := readConfig("../../../../wrangler")
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(plain, &c); err != nil {
		t.Fatal(err)
	}
	all := map[string]any{"wrangler dev": c}
	for name, env := range c["env"].(map[string]any) {
		all[name] = env
	}
	for name, one := range all {
		env := one.(map[string]any)
		was, _ := json.Marshal(env["ratelimits"])
		if err := guard(env); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if is, _ := json.Marshal(env["ratelimits"]); string(is) != string(was) {
			t.Errorf("%s: the file has %s, a deploy makes %s", name, was, is)
		}
	}
}
