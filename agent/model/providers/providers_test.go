package providers_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/model/providers"
)

func TestTheTable(t *testing.T) {
	seen := map[string]string{}
	for _, s := range providers.All() {
		if s.Name == "" || s.Title == "" || s.Model == "" || s.Context < 4096 {
			t.Errorf("%+v lacks something", s)
		}
		if s.Protocol == providers.None {
			continue
		}
		if u, err := url.Parse(s.Base); err != nil || u.Host == "" || (u.Scheme != "https" && u.Hostname() != "127.0.0.1") {
			t.Errorf("%s: %q is no address", s.Name, s.Base)
		}
		if s.Protocol != providers.OpenAI && s.Protocol != providers.Anthropic {
			t.Errorf("%s: there is no protocol %q", s.Name, s.Protocol)
		}
		upper := strings.ToUpper(s.Name)
		if s.Key() != upper+"_API_KEY" || !slices.Contains(s.URLs, upper+"_API_URL") || s.ModelVariable() != upper+"_MODEL" {
			t.Errorf("%s: its variables are %v %v %v", s.Name, s.Keys, s.URLs, s.Models)
		}
		for _, v := range slices.Concat(s.Keys, s.URLs, s.Models) {
			if other := seen[v]; other != "" {
				t.Errorf("%s is a variable of %s and of %s", v, other, s.Name)
			}
			seen[v] = s.Name
		}
	}
	if len(providers.Names()) != len(providers.All())-1 || len(seen) != len(providers.Variables()) {
		t.Errorf("%d names, %d variables", len(providers.Names()), len(seen))
	}
}

func TestReadTakesTheFirstThatIsSet(t *testing.T) {
	kimi, ok := providers.Find("kimi")
	if !ok {
		t.Fatal("there is no kimi")
	}
	env := map[string]string{"KIMI_API_KEY": " ", "MOONSHOT_API_KEY": " k\n", "KIMI_URL": "https://a", "MOONSHOT_BASE_URL": "https://b"}
	got := kimi.Read(func(name string) string { return env[name] })
	if want := (providers.Setting{Key: "k", URL: "https://a"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if _, ok := providers.Find("nobody"); ok {
		t.Error("there is a provider nobody")
	}
}
