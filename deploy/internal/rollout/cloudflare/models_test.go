package cloudflare

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
)

// A provider that is added to the table can be deployed.
func TestTheKeysOfAllProvidersAreSecrets(t *testing.T) {
	b, err := os.ReadFile("../../../../agent/model/providers/providers.json")
	if err != nil {
		t.Fatal(err)
	}
	var table []struct{ Keys []string }
	if err := json.Unmarshal(b, &table); err != nil {
		t.Fatal(err)
	}
	want := []string{}
	for _, row := range table {
		want = append(want, row.Keys...)
	}
	if want = append(want, "OLLAMA_URL"); !slices.Equal(models, want) {
		t.Errorf("the secrets of models are\n%q, want\n%q", models, want)
	}
}

// So can a search provider. GLM's key is among those of models.
func TestTheKeysOfAllSearchProvidersAreSecrets(t *testing.T) {
	b, err := os.ReadFile("../../../../agent/websearch/providers.json")
	if err != nil {
		t.Fatal(err)
	}
	var table []struct{ Keys, URLs []string }
	if err := json.Unmarshal(b, &table); err != nil {
		t.Fatal(err)
	}
	want := []string{}
	for _, row := range table {
		names := row.Keys
		if len(names) == 0 {
			names = row.URLs // the address may hold a password
		}
		if !slices.Contains(models, names[0]) {
			want = append(want, names...)
		}
	}
	if !slices.Equal(searches, want) {
		t.Errorf("the secrets of searches are\n%q, want\n%q", searches, want)
	}
}
