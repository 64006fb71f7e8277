package e2e

import (
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// refusal is what a client tells its user of an error.
type refusal struct {
	Refused                       bool
	Status                        int
	Message                       string
	Code, Type, Param, RetryAfter string
}

// heard is what a client made of its conversations.
type heard struct {
	Models                   []string
	Model                    string
	NoModel                  refusal // of a model that there is not
	Answer, Finish           string
	Tokens                   int
	Streamed, StreamedFinish string
	Pieces, StreamedTokens   int
	Titles                   []string // what it made of answers in JSON, in each way that it has to ask for them
	Bad, Busy, Cut, Stranger refusal
}

// sayings are what a client is to say: two turns of a conversation, one that the
// provider is too busy for, one whose answer breaks off, and one that wants JSON.
type sayings struct {
	Base   string `json:"base"`
	Token  string `json:"token"`
	First  string `json:"first"`
	Second string `json:"second"`
	Busy   string `json:"busy"`
	Cut    string `json:"cut"`
	Label  string `json:"label"`
}

// openAIClients are those that people point at us, each in its own way to be asked.
var openAIClients = map[string]struct {
	ask     func(t *testing.T, s sayings) heard
	lists   bool // it can look models up
	details bool // it hands on what an error is besides its message
	retries bool // and when to try again
	midway  bool // and that a stream broke off
}{
	"openai for node": {node("ask.mjs"), true, true, true, true},
	"openai for Go":   {askInGo, true, true, true, true},
	"LangChain":       {node("langchain.mjs"), false, true, false, true},
	"Vercel's AI SDK": {node("aisdk.mjs"), false, true, true, true},
}

// node is a client that a script of node asks.
func node(name string) func(t *testing.T, s sayings) heard { return nodeWith[sayings, heard](name) }

// nodeWith is a script of node that is told something, and tells what came of it.
func nodeWith[In, Out any](name string) func(t *testing.T, s In) Out {
	return func(t *testing.T, s In) Out {
		t.Helper()
		needs(t, "openai")
		cmd := exec.CommandContext(limited(t), "node", "openai/"+name) // #nosec G204 -- a script of this folder
		var got Out
		if err := testenv.RunJSON(cmd, s, &got); err != nil {
			t.Fatal(err)
		}
		return got
	}
}

// TestOpenAIClients are the clients themselves, pointed at the gateway.
func TestOpenAIClients(t *testing.T) {
	t.Parallel()
	// Wrong keys lock an address out for all who share it.
	w := own(t, func(*testenv.Options) {})
	for name, ai := range openAIClients {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := w.user(t)
			// It runs tools here, and what would have to be asked for is denied at once.
			first := script(
				fakeprovider.Round{Text: []string{"I look. "}, Calls: []fakeprovider.Call{
					{ID: fresh("call"), Name: "memory_save", Args: `{"content":"the owl nests in the third oak"}`},
					{ID: fresh("call"), Name: "exec_shell", Args: `{"command":"mkdir den"}`},
				}},
				fakeprovider.Round{Chunks: 3})
			second := script(fakeprovider.Round{Chunks: 20, Delay: 5})
			got := ai.ask(t, sayings{
				Base: w.Base, Token: c.Token, First: first.Message(), Second: second.Message(),
				Busy:  script(fakeprovider.Round{Status: http.StatusTooManyRequests, RetryAfter: 9}).Message(),
				Cut:   script(fakeprovider.Round{Chunks: 3, End: fakeprovider.EndCut}).Message(),
				Label: script(fakeprovider.Round{Text: []string{`{"title": "The `, `third oak"}`}}).Message(),
			})
			if want := "I look. \n\n" + first.Answer(1); got.Answer != want || got.Finish != "stop" || got.Tokens == 0 {
				t.Errorf("got %q (%s, %d tokens), want %q", got.Answer, got.Finish, got.Tokens, want)
			}
			if got.Streamed != second.Answer(0) || got.Pieces < 2 || got.StreamedTokens == 0 || got.StreamedFinish != "stop" {
				t.Errorf("streamed: got %q (%s) in %d pieces with %d tokens, want %q in several", got.Streamed, got.StreamedFinish, got.Pieces, got.StreamedTokens, second.Answer(0))
			}
			if len(got.Titles) < 2 || slices.ContainsFunc(got.Titles, func(s string) bool { return s != "The third oak" }) {
				t.Errorf("answers in JSON: got the titles %q", got.Titles)
			}
			if ai.lists && (len(got.Models) != 1 || got.Models[0] != "loongclaw" || got.Model != "loongclaw") {
				t.Errorf("models: got %q and %q", got.Models, got.Model)
			}
			w.refusals(t, got, ai.lists, ai.details, ai.retries, ai.midway)
			toldAll(t, w, first.ID, second.ID)
			oneConversation(t, c, first.ID)
		})
	}
}

// refusals asserts that a user is told what went wrong, in our words.
func (w *world) refusals(t *testing.T, got heard, lists, details, retries, midway bool) {
	t.Helper()
	for what, r := range map[string]struct {
		got             refusal
		status          int
		code, kind      string
		message         string
		there, withCode bool
	}{
		"what is not served": {got.Bad, 400, "unsupported", "invalid_request_error", "stop is not served here", true, details},
		"a busy provider":    {got.Busy, 503, "provider_busy", "server_error", "provider", true, details},
		"a stranger":         {got.Stranger, 401, "unauthorized", "authentication_error", "credential", true, details},
		"no such model":      {got.NoModel, 404, "not_found", "invalid_request_error", "there is no model of this name", lists, details},
		"a cut stream":       {got.Cut, 0, "", "", "", midway, false},
	} {
		if !r.there {
			continue
		}
		if !r.got.Refused || r.got.Status != r.status || !strings.Contains(r.got.Message, r.message) || r.got.Message == "" {
			t.Errorf("%s: got %+v, want an error with status %d that says %q", what, r.got, r.status, r.message)
		}
		if r.withCode && (r.got.Code != r.code || r.got.Type != r.kind) {
			t.Errorf("%s: got %+v, want the code %s and the type %s", what, r.got, r.code, r.kind)
		}
	}
	if details && got.Bad.Param != "stop" {
		t.Errorf("what is not served: got %+v, want the field named", got.Bad)
	}
	if retries && got.Busy.RetryAfter == "" {
		t.Errorf("a busy provider: no Retry-After: %+v", got.Busy)
	}
}

// toldAll asserts what the model was told: the client's instructions, and all that
// was said.
func toldAll(t *testing.T, w *world, first, second string) {
	t.Helper()
	var told strings.Builder
	for _, m := range w.model.Requests(second)[0].Messages {
		told.WriteString(m.Role + ": " + m.Content + "\n")
	}
	for _, want := range []string{"be brief", first, "I look.", second} {
		if !strings.Contains(told.String(), want) {
			t.Errorf("the model was not told %q:\n%s", want, told.String())
		}
	}
}

// oneConversation asserts that both turns stand in one session.
func oneConversation(t *testing.T, c *client.Client, first string) {
	t.Helper()
	var list struct{ Sessions []struct{ ID, Title string } }
	if err := do(t, c, http.StatusOK, http.MethodGet, "/api/sessions", nil).JSON(&list); err != nil {
		t.Fatal(err)
	}
	if len(list.Sessions) != 3 {
		t.Errorf("got %d sessions, want three: the conversation, and the two that failed", len(list.Sessions))
	}
	for _, s := range list.Sessions {
		if h := history(t, c, s.ID, ""); strings.Contains(h.Messages[0].Content, first) && len(h.Messages) != 5 {
			t.Errorf("the conversation has %d messages, want 5: %q", len(h.Messages), contents(h))
		}
	}
}
