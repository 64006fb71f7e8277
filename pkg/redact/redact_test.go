package redact_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/pkg/redact"
)

func TestNoSecretIsWritten(t *testing.T) {
	var out strings.Builder
	w := redact.Writer(&out, "sk-canary-0001", `with "quotes" & <marks>"`, "", "short", "sk-canary-0001-longer")
	for _, text := range []string{
		`{"msg":"asked with sk-canary-0001","err":"401: sk-canary-0001 is not right"}` + "\n",
		`{"msg":"with \"quotes\" \u0026 \u003cmarks\u003e\""}` + "\n",
		`{"msg":"with \"quotes\" & <marks>\""}` + "\n",
		`plain: with "quotes" & <marks>", and a short word` + "\n",
	} {
		if n, err := io.WriteString(w, text); n != len(text) || err != nil {
			t.Errorf("got %d, %v, want %d", n, err, len(text))
		}
	}
	got := out.String()
	if strings.Contains(got, "canary") || strings.Contains(got, "quotes") {
		t.Errorf("a secret was written:\n%s", got)
	}
	want := `{"msg":"asked with [secret]","err":"401: [secret] is not right"}` + "\n" + `{"msg":"[secret]"}` + "\n" + `{"msg":"[secret]"}` + "\n" + "plain: [secret], and a short word\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// A secret that begins as another does leaves nothing of itself.
func TestALongerSecretGoesWhole(t *testing.T) {
	for _, secrets := range [][]string{{"sk-canary-0001", "sk-canary-0001-longer"}, {"sk-canary-0001-longer", "sk-canary-0001"}} {
		var out strings.Builder
		if _, err := io.WriteString(redact.Writer(&out, secrets...), "key sk-canary-0001-longer."); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); got != "key [secret]." {
			t.Errorf("%q: got %q", secrets, got)
		}
	}
}

func TestWithoutSecretsItIsTheSameWriter(t *testing.T) {
	var out strings.Builder
	if w := redact.Writer(&out, "", "short"); w != io.Writer(&out) {
		t.Error("it wraps for nothing")
	}
	if _, err := redact.Writer(broken{}, "sk-canary-0001").Write([]byte("x")); err == nil {
		t.Error("the error of the writer behind it is lost")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken") }
