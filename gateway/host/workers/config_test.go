package workers_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/gateway/limit"
)

var comments = regexp.MustCompile(`(?m)^\s*//.*$`)

// environment is what an environment of wrangler.jsonc has of its own: nothing
// is inherited.
type environment struct {
	Vars       map[string]string `json:"vars"`
	Ratelimits []struct {
		Name   string
		Simple struct{ Limit, Period int }
	} `json:"ratelimits"`
	DurableObjects struct {
		Bindings []struct {
			Name  string
			Class string `json:"class_name"`
		}
	} `json:"durable_objects"`
	Containers []struct {
		Class     string `json:"class_name"`
		Name      string `json:"name"`
		Image     string `json:"image"`
		Context   string `json:"image_build_context"`
		Instance  string `json:"instance_type"`
		Instances int    `json:"max_instances"`
	} `json:"containers"`
	Buckets []struct {
		Binding string
		Name    string `json:"bucket_name"`
	} `json:"r2_buckets"`
}

// wranglerConfig is what the tests read of wrangler.jsonc.
type wranglerConfig struct {
	environment
	Env         map[string]environment `json:"env"`
	SendMetrics *bool                  `json:"send_metrics"`
}

// environments are all three, by name.
func (c wranglerConfig) environments() map[string]environment {
	return map[string]environment{"wrangler dev": c.environment, "production": c.Env["production"], "staging": c.Env["staging"]}
}

func readWranglerConfig(t *testing.T) wranglerConfig {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(wranglerDir, "wrangler.jsonc"))
	if err != nil {
		t.Fatal(err)
	}
	var c wranglerConfig
	if err := json.Unmarshal(comments.ReplaceAll(text, nil), &c); err != nil {
		t.Fatalf("wrangler.jsonc: %v", err)
	}
	return c
}

// TestTheFloodGuardIsWide: no user within the user's own limits may meet it.
func TestTheFloodGuardIsWide(t *testing.T) {
	for name, env := range readWranglerConfig(t).environments() {
		counts := map[string]int{}
		for _, binding := range env.Ratelimits {
			counts[binding.Name] = binding.Simple.Limit * 60 / binding.Simple.Period
		}
		a := map[string]int{}
		for _, class := range []string{"CHAT", "API"} {
			rate, err := limit.ParseRate(env.Vars["RATE_LIMIT_"+class])
			if err != nil {
				t.Errorf("%s: RATE_LIMIT_%s: %v", name, class, err)
				continue
			}
			a[class] = int(float64(rate.N) / rate.Per.Minutes())
		}
		if counts["LIMIT_FLOOD"] < 2*(a["CHAT"]+a["API"]) {
			t.Errorf("%s: LIMIT_FLOOD lets %d a minute through, fewer than two users behind one address may ask", name, counts["LIMIT_FLOOD"])
		}
	}
}

// generations: both are the same but for their names, so that a switch between them
// changes nothing but the image.
func generations(t *testing.T, name string, env environment) {
	t.Helper()
	if len(env.Containers) != 2 {
		t.Errorf("%s: %d containers, want blue and green", name, len(env.Containers))
		return
	}
	blue, green := env.Containers[0], env.Containers[1]
	if blue.Class != "AgentBlue" || green.Class != "AgentGreen" || !strings.HasSuffix(blue.Name, "-blue") || !strings.HasSuffix(green.Name, "-green") {
		t.Errorf("%s: got %v, want AgentBlue …-blue and AgentGreen …-green", name, env.Containers)
	}
	blue.Class, blue.Name = green.Class, strings.TrimSuffix(blue.Name, "blue")+"green"
	if diff := cmp.Diff(blue, green); diff != "" {
		t.Errorf("%s: the generations differ (-blue +green):\n%s", name, diff)
	}
}

// TestEnvironmentsAreComplete: each has the objects, the containers and a bucket of
// its own.
func TestEnvironmentsAreComplete(t *testing.T) {
	buckets := map[string]string{}
	for name, env := range readWranglerConfig(t).environments() {
		objects := map[string]string{}
		for _, b := range env.DurableObjects.Bindings {
			objects[b.Name] = b.Class
		}
		if diff := cmp.Diff(map[string]string{"USER": "User", "AGENT_BLUE": "AgentBlue", "AGENT_GREEN": "AgentGreen", "VAULT": "Vault", "SWITCH": "Switch", "ADDRESS": "Address", "WATCH": "Watch"}, objects); diff != "" {
			t.Errorf("%s: objects (-want +got):\n%s", name, diff)
		}
		if len(env.Buckets) != 1 || env.Buckets[0].Binding != "STORE" {
			t.Errorf("%s: buckets %v, want STORE", name, env.Buckets)
			continue
		}
		generations(t, name, env)
		buckets[name] = env.Buckets[0].Name
	}
	if buckets["production"] == buckets["staging"] {
		t.Errorf("production and staging share the bucket %s", buckets["staging"])
	}
}

// TestNoMetrics: nothing is sent to anybody while developing.
func TestNoMetrics(t *testing.T) {
	if c := readWranglerConfig(t); c.SendMetrics == nil || *c.SendMetrics {
		t.Error("send_metrics: want false")
	}
}
