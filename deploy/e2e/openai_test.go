package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/deploy/standin"
)

// refusal is how OpenAI's client tells an error.
type refusal struct {
	Refused    bool
	Status     int
	RetryAfter string
	Message    string
}

// TestOpenAIClient is OpenAI's own client, pointed at the gateway.
func TestOpenAIClient(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("openai/node_modules/openai"); err != nil {
		t.Skip("SKIPPED: OpenAI's client is not installed\nNext: make test-go, or npm ci in deploy/e2e/openai")
	}
	w := shared(t)
	c := w.user(t)
	// It runs tools here, and what would have to be asked for is denied at once.
	first := script(
		standin.Round{Text: []string{"I look. "}, Calls: []standin.Call{
			{ID: fresh("call"), Name: "memory_save", Args: `{"content":"the owl nests in the third oak"}`},
			{ID: fresh("call"), Name: "exec_shell", Args: `{"command":"mkdir den"}`},
		}},
		standin.Round{Chunks: 3})
	second := script(standin.Round{Chunks: 20, Delay: 5})
	in, _ := json.Marshal(map[string]string{
		"base": w.Base, "token": c.Token, "first": first.Message(), "second": second.Message(),
		"busy": script(standin.Round{Status: http.StatusTooManyRequests, RetryAfter: 9}).Message(),
		"cut":  script(standin.Round{Chunks: 3, End: standin.EndCut}).Message(),
	})
	cmd := exec.CommandContext(limited(t), "node", "openai/ask.mjs")
	cmd.Stdin = bytes.NewReader(in)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	var got struct {
		Models                         []string
		Answer, Finish, Streamed       string
		Tokens, StreamedTokens, Pieces int
		TwoAtOnce, Busy, Cut, Stranger refusal
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	if len(got.Models) != 1 || got.Models[0] != "loongclaw" {
		t.Errorf("models: got %q", got.Models)
	}
	if want := "I look. \n\n" + first.Answer(1); got.Answer != want || got.Finish != "stop" || got.Tokens == 0 {
		t.Errorf("got %q (%s, %d tokens), want %q", got.Answer, got.Finish, got.Tokens, want)
	}
	if got.Streamed != second.Answer(0) || got.Pieces < 2 || got.StreamedTokens == 0 {
		t.Errorf("streamed: got %q in %d pieces with %d tokens, want %q in several", got.Streamed, got.Pieces, got.StreamedTokens, second.Answer(0))
	}
	for what, r := range map[string]struct {
		got    refusal
		status int
	}{"two at once": {got.TwoAtOnce, 400}, "a busy provider": {got.Busy, 503}, "a cut stream": {got.Cut, 0}, "a stranger": {got.Stranger, 401}} {
		if !r.got.Refused || r.got.Status != r.status || r.got.Message == "" {
			t.Errorf("%s: got %+v, want an error with status %d", what, r.got, r.status)
		}
	}
	if got.Busy.RetryAfter == "" {
		t.Errorf("a busy provider: no Retry-After")
	}

	// What the model was told: the client's instructions, and all that was said.
	var told strings.Builder
	for _, m := range w.model.Requests(second.ID)[0].Messages {
		told.WriteString(m.Role + ": " + m.Content + "\n")
	}
	for _, want := range []string{"be brief", first.ID, "I look.", second.ID} {
		if !strings.Contains(told.String(), want) {
			t.Errorf("the model was not told %q:\n%s", want, told.String())
		}
	}
	var list struct{ Sessions []struct{ ID, Title string } }
	if err := do(t, c, http.StatusOK, http.MethodGet, "/api/sessions", nil).JSON(&list); err != nil {
		t.Fatal(err)
	}
	if len(list.Sessions) != 3 {
		t.Errorf("got %d sessions, want three: the conversation, and the two that failed", len(list.Sessions))
	}
	for _, s := range list.Sessions {
		if h := history(t, c, s.ID, ""); strings.Contains(h.Messages[0].Content, first.ID) && len(h.Messages) != 5 {
			t.Errorf("the conversation has %d messages, want 5: %q", len(h.Messages), contents(h))
		}
	}
}
