package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// tooled is what a client made of two conversations in which it ran a tool of its own,
// and of a message after the first.
type tooled struct {
	Answer, Streamed, Next string
	Ran, StreamedRan       []string // of which cities the weather was asked
}

// errands are what a client is to say.
type errands struct {
	Base   string `json:"base"`
	Token  string `json:"token"`
	First  string `json:"first"`
	Second string `json:"second"`
	Third  string `json:"third"`
}

// toolClients are clients that run their tools in a loop of their own.
var toolClients = map[string]func(t *testing.T, e errands) tooled{
	"openai for node": nodeWith[errands, tooled]("tools_ask.mjs"),
	"openai for Go":   toolsInGo,
	"LangChain":       nodeWith[errands, tooled]("tools_langchain.mjs"),
	"Vercel's AI SDK": nodeWith[errands, tooled]("tools_aisdk.mjs"),
}

// errand is a conversation with two steps of the client's tool, the first beside one of
// the agent's own.
func errand(said string) fakeprovider.Script {
	forecast := func(city string) fakeprovider.Call {
		return fakeprovider.Call{ID: fresh("call"), Name: "get_weather", Args: fmt.Sprintf(`{"city":%q}`, city)}
	}
	return script(
		fakeprovider.Round{Text: []string{"I look. "}, Calls: []fakeprovider.Call{
			forecast("Oslo"), {ID: fresh("call"), Name: "list_directory", Args: `{}`}, forecast("Rom"),
		}},
		fakeprovider.Round{Calls: []fakeprovider.Call{forecast("Lima")}},
		fakeprovider.Round{Text: []string{said}},
	)
}

// TestClientsRunTheirOwnTools are the clients themselves, each with its own loop.
func TestClientsRunTheirOwnTools(t *testing.T) {
	t.Parallel()
	w := own(t, func(*testenv.Options) {})
	for name, ask := range toolClients {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := w.user(t)
			first, second, third := errand("cold everywhere"), errand("cold there, too"), script(fakeprovider.Round{Text: []string{"you are welcome"}})
			got := ask(t, errands{Base: w.Base, Token: c.Token, First: first.Message(), Second: second.Message(), Third: third.Message()})
			cities := []string{"Oslo", "Rom", "Lima"}
			if got.Answer != "cold everywhere" || !slices.Equal(got.Ran, cities) {
				t.Errorf("got %q after %v", got.Answer, got.Ran)
			}
			if got.Streamed != "cold there, too" || !slices.Equal(got.StreamedRan, cities) {
				t.Errorf("streamed: got %q after %v", got.Streamed, got.StreamedRan)
			}
			if got.Next != "you are welcome" {
				t.Errorf("the next message: got %q", got.Next)
			}
			for _, id := range []string{first.ID, second.ID} {
				w.toldOfTools(t, id)
			}
			for _, r := range w.model.Requests("") {
				if r.Refused != "" {
					t.Errorf("a request that no provider takes: %s", r.Refused)
				}
			}
			withTools(t, c, first.ID, second.ID)
		})
	}
}

// toldOfTools asserts what the model was told of a conversation: ours and the client's
// tools, and results that are fenced as another's words.
func (w *world) toldOfTools(t *testing.T, id string) {
	t.Helper()
	all := w.model.Requests(id)
	if len(all) != 3 {
		t.Errorf("the model was asked %d times, want 3", len(all))
		return
	}
	last := all[2]
	if !slices.Contains(last.Tools, "get_weather") || !slices.Contains(last.Tools, "list_directory") {
		t.Errorf("the model knows the tools %v", last.Tools)
	}
	var results []string
	for _, m := range last.Messages {
		if m.Role == "tool" && strings.Contains(m.Content, "cold in ") {
			results = append(results, m.Content)
			if !strings.HasPrefix(m.Content, "[the client's tool get_weather: ") {
				t.Errorf("a result without its fence: %q", m.Content)
			}
		}
	}
	if len(results) != 3 {
		t.Errorf("the model was told the results %q", results)
	}
}

// withTools asserts that each conversation is one session, in which one run has ended
// well.
func withTools(t *testing.T, c *client.Client, first, second string) {
	t.Helper()
	var list struct {
		Sessions []struct{ ID, Title, State string }
	}
	if err := do(t, c, http.StatusOK, http.MethodGet, "/api/sessions", nil).JSON(&list); err != nil {
		t.Fatal(err)
	}
	if len(list.Sessions) != 2 {
		t.Errorf("got %d sessions, want two", len(list.Sessions))
	}
	for _, s := range list.Sessions {
		if s.State != "idle" {
			t.Errorf("the session is %s", s.State)
		}
		h := history(t, c, s.ID, "")
		runs := map[string]bool{}
		for _, m := range h.Messages {
			runs[m.RunID] = true
		}
		want := 1
		if strings.Contains(h.Messages[0].Content, first) {
			want = 2 // the message after it
		} else if !strings.Contains(h.Messages[0].Content, second) {
			t.Errorf("the session holds %q", contents(h))
		}
		if len(runs) != want {
			t.Errorf("the session has %d runs, want %d: %q", len(runs), want, contents(h))
		}
	}
}

// weatherInGo is the tool, as OpenAI's client for Go declares it.
var weatherInGo = openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{
	Name: "get_weather", Description: openai.String("The weather in a city."),
	Parameters: openai.FunctionParameters{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}},
})

// toolsInGo runs the loop that people write with OpenAI's client for Go.
func toolsInGo(t *testing.T, e errands) (out tooled) {
	t.Helper()
	ctx := limited(t)
	ai := openai.NewClient(option.WithBaseURL(e.Base+"/v1/"), option.WithAPIKey(e.Token), option.WithMaxRetries(0))
	converse := func(q *openai.ChatCompletionNewParams, streams bool, ran *[]string) string {
		for {
			var m openai.ChatCompletionMessage
			if streams {
				var all openai.ChatCompletionAccumulator
				stream := ai.Chat.Completions.NewStreaming(ctx, *q)
				for stream.Next() {
					if chunk := stream.Current(); !all.AddChunk(chunk) {
						t.Errorf("a chunk that does not belong: %s", chunk.RawJSON())
					}
				}
				if err := stream.Err(); err != nil {
					t.Fatal(err)
				}
				m = all.Choices[0].Message
			} else {
				whole, err := ai.Chat.Completions.New(ctx, *q)
				if err != nil {
					t.Fatal(err)
				}
				m = whole.Choices[0].Message
			}
			q.Messages = append(q.Messages, m.ToParam())
			if len(m.ToolCalls) == 0 {
				return m.Content
			}
			for _, call := range m.ToolCalls {
				var args struct{ City string }
				if err := json.Unmarshal([]byte(call.Function.Arguments), &args); err != nil {
					t.Fatal(err)
				}
				*ran = append(*ran, args.City)
				q.Messages = append(q.Messages, openai.ToolMessage("cold in "+args.City, call.ID))
			}
		}
	}
	ask := func(text string) openai.ChatCompletionNewParams {
		return openai.ChatCompletionNewParams{Model: "loongclaw", Tools: []openai.ChatCompletionToolUnionParam{weatherInGo}, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(text)}}
	}
	q := ask(e.First)
	out.Answer = converse(&q, false, &out.Ran)
	s := ask(e.Second)
	out.Streamed = converse(&s, true, &out.StreamedRan)
	q.Messages = append(q.Messages, openai.UserMessage(e.Third))
	out.Next = converse(&q, false, &out.Ran)
	return out
}

// TestAClientsCallsOutliveTheAgent ends the agent between the calls and their results,
// in good order and by a crash.
func TestAClientsCallsOutliveTheAgent(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world){
		"stopped": func(w *world) { w.Agent.Stop(killAfter) },
		"killed":  func(w *world) { w.Agent.Kill() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := own(t, nil)
			c := w.user(t)
			ctx := limited(t)
			ai := openai.NewClient(option.WithBaseURL(w.Base+"/v1/"), option.WithAPIKey(c.Token), option.WithMaxRetries(0))
			sc := errand("cold everywhere")
			q := openai.ChatCompletionNewParams{Model: "loongclaw", Tools: []openai.ChatCompletionToolUnionParam{weatherInGo}, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(sc.Message())}}
			for round, want := range []int{2, 1, 0} {
				whole, err := ai.Chat.Completions.New(ctx, q)
				if err != nil {
					t.Fatalf("round %d: %v", round, err)
				}
				m := whole.Choices[0].Message
				if len(m.ToolCalls) != want {
					t.Fatalf("round %d: got %+v, want %d calls", round, m, want)
				}
				if want == 0 {
					if m.Content != "cold everywhere" {
						t.Errorf("got %q", m.Content)
					}
					break
				}
				end(w)
				if err := w.UseAgent(ctx, bin.Agent); err != nil {
					t.Fatal(err)
				}
				q.Messages = append(q.Messages, m.ToParam())
				for _, call := range m.ToolCalls {
					q.Messages = append(q.Messages, openai.ToolMessage("cold", call.ID))
				}
			}
			if n := len(w.model.Requests(sc.ID)); n != 3 {
				t.Errorf("the model was asked %d times, want 3", n)
			}
			if _, err := w.Verify(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAClientsCallsOutliveARollback goes back to the version before while a client has
// calls: there the session can be read and nothing of it is lost, and the newer version
// goes on with it.
func TestAClientsCallsOutliveARollback(t *testing.T) {
	t.Parallel()
	before, err := testenv.BuildRelease(t.Context(), t.TempDir(), "v0.2.1")
	if errors.Is(err, testenv.ErrNoEarlier) {
		t.Skipf("SKIPPED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	w := own(t, nil)
	c := w.user(t)
	ctx := limited(t)
	ask := func(q openai.ChatCompletionNewParams) openai.ChatCompletionMessage {
		t.Helper()
		ai := openai.NewClient(option.WithBaseURL(w.Base+"/v1/"), option.WithAPIKey(c.Token), option.WithMaxRetries(0))
		whole, err := ai.Chat.Completions.New(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		return whole.Choices[0].Message
	}
	sc := script(fakeprovider.Round{Text: []string{"I look."}, Calls: []fakeprovider.Call{{ID: fresh("call"), Name: "get_weather", Args: `{"city":"Oslo"}`}}}, fakeprovider.Round{Text: []string{"cold"}})
	q := openai.ChatCompletionNewParams{Model: "loongclaw", Tools: []openai.ChatCompletionToolUnionParam{weatherInGo}, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(sc.Message())}}
	m := ask(q)
	if len(m.ToolCalls) != 1 {
		t.Fatalf("got %+v", m)
	}
	var list struct{ Sessions []struct{ ID string } }
	if err := do(t, c, http.StatusOK, http.MethodGet, "/api/sessions", nil).JSON(&list); err != nil || len(list.Sessions) != 1 {
		t.Fatalf("sessions: %+v, %v", list, err)
	}
	session := list.Sessions[0].ID
	told := contents(history(t, c, session, ""))
	if err := w.Use(ctx, before); err != nil {
		t.Fatal(err)
	}
	if got := contents(history(t, c, session, "")); !slices.Equal(got, told) {
		t.Errorf("the version before shows %q, want %q", got, told)
	}
	refused := do(t, c, http.StatusConflict, http.MethodPost, "/api/sessions/"+session+"/runs", map[string]any{"message": "hello"})
	if !strings.Contains(string(refused.Body), "newer_version") {
		t.Errorf("the version before says %s", refused.Body)
	}
	if _, err := w.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	if err := w.Use(ctx, bin); err != nil {
		t.Fatal(err)
	}
	q.Messages = append(q.Messages, m.ToParam(), openai.ToolMessage("minus four", m.ToolCalls[0].ID))
	if got := ask(q); got.Content != "cold" {
		t.Errorf("got %+v", got)
	}
	if n := len(w.model.Requests(sc.ID)); n != 2 {
		t.Errorf("the model was asked %d times, want 2", n)
	}
	if _, err := w.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}
