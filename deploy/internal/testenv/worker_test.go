package testenv

import (
	"strings"
	"testing"
)

// Two suites on one engine must not take each other's containers for their own.
func TestAWorkerKnowsItsContainers(t *testing.T) {
	object := strings.Repeat("ab", 32)
	w := &Worker{Name: "loongclaw-mine"}
	for name, want := range map[string]bool{
		"workerd-93137a8ea1134e6f-loongclaw-mine-AgentBlue-" + object:            true,
		"workerd-93137a8ea1134e6f-loongclaw-mine-AgentGreen-" + object:           true,
		"workerd-93137a8ea1134e6f-loongclaw-mine-AgentBlue-" + object + "-proxy": false,
		"workerd-93137a8ea1134e6f-loongclaw-AgentBlue-" + object:                 false,
		"workerd-93137a8ea1134e6f-loongclaw-mine2-AgentBlue-" + object:           false,
		"workerd-93137a8ea1134e6f-loongclaw-another-AgentBlue-" + object:         false,
		"somebody-loongclaw-mine-AgentBlue":                                      false,
		"":                                                                       false,
	} {
		if got := w.IsContainer(name); got != want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

// The engine's two builders say it differently.
func TestTheImagesThatWranglerBuilds(t *testing.T) {
	got := images("Preparing container image(s)...\nSuccessfully tagged cloudflare-dev/agentblue:7ef07fed\n#9 naming to docker.io/cloudflare-dev/agentgreen:7ef07fed done\n")
	if len(got) != 2 || got["agentblue"] != "cloudflare-dev/agentblue:7ef07fed" || got["agentgreen"] != "cloudflare-dev/agentgreen:7ef07fed" {
		t.Errorf("got %v", got)
	}
}
