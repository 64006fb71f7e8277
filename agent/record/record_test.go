package record_test

import (
	"testing"

	"github.com/loongclaw/loongclaw/agent/record"
)

func TestABodyIsOneLineAsItIs(t *testing.T) {
	r := record.New("kind", map[string]string{"html": "<b>&\n"})
	if got, want := string(r.Body), `{"html":"<b>&\n"}`; got != want {
		t.Errorf("body = %s, want %s", got, want)
	}
	if r.Newer() {
		t.Error("a record of this version needs a later one")
	}
	if !(record.Record{Needs: record.Reader + 1}).Newer() {
		t.Error("a record for later readers is taken for one of ours")
	}
}
