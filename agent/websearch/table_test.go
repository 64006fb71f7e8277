package websearch_test

import (
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/model/providers"
	"github.com/loongclaw/loongclaw/agent/websearch"
)

func TestChoose(t *testing.T) {
	for _, c := range []struct{ name, env, egress, want, url, fault string }{
		{"", "", "", "", "", ""},
		{"none", "TAVILY_API_KEY=k", "", "", "", ""},
		{"", "TAVILY_API_KEY=k BRAVE_API_KEY=k", "", "tavily", "https://api.tavily.com/search", ""},
		{"", "BRAVE_API_KEY=k EXA_API_KEY=k", "", "brave", "https://api.search.brave.com/res/v1/web/search", ""},
		{"", "EXA_API_KEY=k SEARXNG_URL=http://s:8080", "", "exa", "https://api.exa.ai/search", ""},
		{"", "SEARXNG_URL=http://s:8080 BOCHA_API_KEY=k", "", "searxng", "http://s:8080/search", ""},
		{"", "SEARXNG_URL=https://u:p@s.example/sx/", "", "searxng", "https://u:p@s.example/sx/search", ""},
		{"", "SEARXNG_URL=https://s.example/search", "", "searxng", "https://s.example/search", ""},
		{"", "BOCHA_API_KEY=k ZAI_API_KEY=k", "", "bocha", "https://api.bochaai.com/v1/web-search", ""},
		{"", "BOCHA_API_KEY=k BOCHA_API_URL=https://api.bocha.cn", "", "bocha", "https://api.bocha.cn/v1/web-search", ""},
		{"", "ZHIPUAI_API_KEY=k", "", "glm", "https://open.bigmodel.cn/api/paas/v4/web_search", ""},
		{"", "GLM_API_KEY=k GLM_API_URL=https://api.z.ai/api/paas/v4/chat/completions", "", "glm", "https://api.z.ai/api/paas/v4/web_search", ""},
		{"", "GLM_API_KEY=k GLM_API_URL=https://api.z.ai/", "", "glm", "https://api.z.ai/api/paas/v4/web_search", ""},
		{"", "TAVILY_API_URL=http://t", "", "", "", ""}, // an address without a key
		{" GLM ", "TAVILY_API_KEY=k GLM_API_KEY=k", "", "glm", "https://open.bigmodel.cn/api/paas/v4/web_search", ""},
		{"brave", "TAVILY_API_KEY=k", "", "", "", "BRAVE_API_KEY is not set"},
		{"searxng", "TAVILY_API_KEY=k", "", "", "", "SEARXNG_URL is not set"},
		{"google", "TAVILY_API_KEY=k", "", "", "", "not one of tavily, brave"},
		{"", "SEARXNG_URL=canary", "", "", "", "SEARXNG_URL is no address"},
		{"", "SEARXNG_URL=ftp://canary", "", "", "", "SEARXNG_URL is no address"},
		{"", "SEARXNG_URL=http://u:canary@s?x=1", "", "", "", "SEARXNG_URL has a query"},
		{"", "SEARXNG_URL=http://u:canary@s:bad/", "", "", "", "SEARXNG_URL is no address"},
		{"tavily", "", "http://web.internal/", "tavily", "", ""},
		{"", "TAVILY_API_KEY=k", "http://web.internal", "", "", ""}, // the keys are at the proxy
	} {
		env := map[string]string{}
		for _, pair := range strings.Fields(c.env) {
			name, value, _ := strings.Cut(pair, "=")
			env[name] = value
		}
		got, err := websearch.Choose(c.name, func(n string) string { return env[n] }, c.egress)
		if c.fault != "" {
			if err == nil || !strings.Contains(err.Error(), c.fault) || strings.Contains(err.Error(), "canary") {
				t.Errorf("%+v: %v", c, err)
			}
			continue
		}
		if err != nil || (got == nil) != (c.want == "") {
			t.Errorf("%+v: %+v, %v", c, got, err)
			continue
		}
		if got != nil && (got.Name != c.want || got.URL != c.url || (got.Egress != "") != (c.egress != "")) {
			t.Errorf("%+v: %s at %s", c, got.Name, got.URL)
		}
	}
}

func TestSecretsOfAnAddress(t *testing.T) {
	s, err := websearch.Choose("searxng", func(n string) string {
		return map[string]string{"SEARXNG_URL": "http://user:pass-word-1@s.example"}[n]
	}, "")
	if err != nil || !strings.Contains(strings.Join(s.Secrets(), " "), "pass-word-1") {
		t.Errorf("%v, %v", s.Secrets(), err)
	}
}

// GLM's search takes the key of its models, under the same variables.
func TestGLMHasOneKey(t *testing.T) {
	models, ok := providers.Find("glm")
	if !ok {
		t.Fatal("no GLM among the models")
	}
	for _, s := range websearch.All() {
		if s.Name == "glm" && (strings.Join(s.Keys, " ") != strings.Join(models.Keys, " ") || strings.Join(s.URLs, " ") != strings.Join(models.URLs, " ")) {
			t.Errorf("%v %v, but the models have %v %v", s.Keys, s.URLs, models.Keys, models.URLs)
		}
	}
}
