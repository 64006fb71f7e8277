package cloudflare

import (
	"slices"
	"testing"
)

// A provider that is added to a table can be deployed: its keys are secrets, and
// nothing else of it is.
func TestSecretsAreThoseOfTheTables(t *testing.T) {
	for _, name := range []string{"GLM_API_KEY", "ZAI_API_KEY", "OPENROUTER_API_KEY", "OLLAMA_API_KEY", "OLLAMA_URL"} {
		if !slices.Contains(models, name) {
			t.Errorf("%s is not among the secrets of models: %q", name, models)
		}
	}
	for _, name := range []string{"OPENAI_BASE_URL", "GLM_MODEL", ""} {
		if slices.Contains(models, name) {
			t.Errorf("%q is among the secrets of models", name)
		}
	}
	for _, name := range []string{"TAVILY_API_KEY", "SEARXNG_URL"} {
		if !slices.Contains(searches, name) {
			t.Errorf("%s is not among the secrets of searches: %q", name, searches)
		}
	}
	for _, name := range []string{"GLM_API_KEY", "TAVILY_API_URL", ""} { // GLM's key is a model's
		if slices.Contains(searches, name) {
			t.Errorf("%q is among the secrets of searches", name)
		}
	}
}
