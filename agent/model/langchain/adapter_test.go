package langchain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// bubble runs a test against the stand-in with time under control and no socket.
func bubble(t *testing.T, c Config, f func(t *testing.T, s *modeltest.Server, m *Model)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := modeltest.New()
		client, stop := s.Client()
		defer stop()
		c.Client = client
		if c.Provider == "" {
			c.Provider = GLM
		}
		if c.Key == "" {
			c.Key = "key-1234"
		}
		m, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		f(t, s, m)
	})
}

// asked is what an answer was and how it was streamed.
type asked struct {
	loop.Answer
	pieces []string
	err    error
	took   time.Duration
}

func ask(t *testing.T, ctx context.Context, m *Model, q loop.Question) asked { //nolint:revive // the test comes first
	t.Helper()
	var a asked
	start := time.Now()
	a.Answer, a.err = m.Answer(ctx, q, func(s string) {
		if s == "" || !utf8.ValidString(s) {
			t.Errorf("onText got %q, want whole characters", s)
		}
		a.pieces = append(a.pieces, s)
	})
	a.took = time.Since(start)
	if got := strings.Join(a.pieces, ""); got != a.Text {
		t.Errorf("pieces join to %q, want the answer's text %q", got, a.Text)
	}
	return a
}

func hello() loop.Question {
	return loop.Question{
		System: "persona", Messages: []loop.Message{{Role: chat.RoleUser, Text: "你好"}}, RequestID: "req-1",
		Tools: []loop.Spec{{Name: "add", Description: "adds", Parameters: json.RawMessage(`{"type":"object"}`)}},
	}
}

var twoCalls = []modeltest.Call{
	{ID: "a", Name: "add", Arguments: json.RawMessage(`{"x":1,"s":"加法"}`)},
	{ID: "b", Name: "add", Arguments: json.RawMessage(`{"x":2,"s":"<b>"}`)},
}

// TestDefects has one case for each row of what providers do and the library
// gets wrong, where the answer must come out right all the same.
func TestDefects(t *testing.T) {
	wantCalls := []loop.Call{
		{ID: "a", Name: "add", Arguments: json.RawMessage(`{"x":1,"s":"加法"}`)},
		{ID: "b", Name: "add", Arguments: json.RawMessage(`{"x":2,"s":"<b>"}`)},
	}
	huge := strings.Repeat("长", 60_000)
	usage := &modeltest.Usage{Prompt: 7, Completion: 5, Total: 12}
	for name, c := range map[string]struct {
		reply modeltest.Reply
		text  string
		calls []loop.Call
	}{
		"plain text":                      {modeltest.Reply{Text: "hello there"}, "hello there", nil},
		"tool deltas stay out of text":    {modeltest.Reply{Text: "look: ", Calls: twoCalls}, "look: ", wantCalls},
		"interleaved parallel calls":      {modeltest.Reply{Calls: twoCalls, CallStyle: modeltest.StyleInterleaved}, "", wantCalls},
		"type repeated on each delta":     {modeltest.Reply{Calls: twoCalls, CallStyle: modeltest.StyleRepeatType}, "", wantCalls},
		"phantom empty delta":             {modeltest.Reply{Calls: twoCalls, CallStyle: modeltest.StyleEmptyDelta}, "", wantCalls},
		"text and calls in one delta":     {modeltest.Reply{Text: "both", Calls: twoCalls, CallStyle: modeltest.StyleWithText}, "both", wantCalls},
		"calls in one piece":              {modeltest.Reply{Calls: twoCalls, CallStyle: modeltest.StyleWhole}, "", wantCalls},
		"calls without an index":          {modeltest.Reply{Calls: twoCalls, CallStyle: modeltest.StyleNoIndex}, "", wantCalls},
		"arguments as an object":          {modeltest.Reply{Calls: twoCalls, CallStyle: modeltest.StyleObject}, "", wantCalls},
		"chunk after the finish reason":   {modeltest.Reply{Text: "done", Fault: modeltest.FaultAfterFinish}, "done", nil},
		"line over 64 KiB":                {modeltest.Reply{Text: huge, Fault: modeltest.FaultHuge}, huge, nil},
		"characters cut between bytes":    {modeltest.Reply{Text: "你好，熊大🐻💪！", Fault: modeltest.FaultHalfBytes}, "你好，熊大🐻💪！", nil},
		"characters cut between units":    {modeltest.Reply{Text: "a🐻b💪", Fault: modeltest.FaultHalfUnits}, "a🐻b💪", nil},
		"finish reason, no [DONE]":        {modeltest.Reply{Text: "fine", Fault: modeltest.FaultNoDone}, "fine", nil},
		"complete, but stays open":        {modeltest.Reply{Text: "fine", Fault: modeltest.FaultLinger}, "fine", nil},
		"no empty lines, CRLF":            {modeltest.Reply{Text: "x y z", Fault: modeltest.FaultSticky}, "x y z", nil},
		"content type is JSON":            {modeltest.Reply{Text: "x y", Type: "application/json"}, "x y", nil},
		"noise between events":            {modeltest.Reply{Raw: ": hi\nevent: x\n\ndata: ping\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"ok\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"}, "ok", nil},
		"event over several data lines":   {modeltest.Reply{Raw: "data: {\"choices\":[\ndata: {\"delta\":{\"content\":\"ok\"},\"finish_reason\":\"stop\"}]}\n\n"}, "ok", nil},
		"no stream at all":                {modeltest.Reply{Type: "application/json; charset=utf-8", Raw: `{"choices":[{"message":{"content":"whole","tool_calls":[{"id":"a","function":{"name":"f","arguments":""}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":7,"completion_tokens":5}}`}, "whole", []loop.Call{{ID: "a", Name: "f", Arguments: json.RawMessage(`{}`)}}},
		"all calls have index 0":          {modeltest.Reply{Raw: `data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}},{"index":0,"id":"b","function":{"name":"f","arguments":"{\"k\":1}"}}]},"finish_reason":"tool_calls"}]}` + "\n\n"}, "", []loop.Call{{ID: "a", Name: "f", Arguments: json.RawMessage(`{}`)}, {ID: "b", Name: "f", Arguments: json.RawMessage(`{"k":1}`)}}},
		"arguments that are no JSON":      {modeltest.Reply{Calls: []modeltest.Call{{Name: "f", Arguments: json.RawMessage(`"{\"x\":"`)}}}, "", []loop.Call{{Name: "f", Arguments: json.RawMessage(`{"x":`)}}},
		"unknown finish reason and nulls": {modeltest.Reply{Raw: `data: {"choices":[{"delta":{"role":"assistant","content":null,"tool_calls":null},"finish_reason":null}],"usage":null}` + "\n\n" + `data: {"choices":[{"delta":{"content":"ok"},"finish_reason":"eos"}]}` + "\n\n"}, "ok", nil},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Config{}, func(t *testing.T, s *modeltest.Server, m *Model) {
				c.reply.Usage = usage
				s.Script(c.reply)
				got := ask(t, t.Context(), m, hello())
				if got.err != nil {
					t.Fatalf("error %v, want none", got.err)
				}
				if got.Text != c.text {
					t.Errorf("text %.80q, want %.80q", got.Text, c.text)
				}
				if d := cmp.Diff(c.calls, got.Calls); d != "" {
					t.Errorf("calls (-want +got):\n%s", d)
				}
				if c.reply.Raw == "" || strings.Contains(c.reply.Raw, "prompt_tokens") {
					want := &chat.Usage{PromptTokens: 7, CompletionTokens: 5, TotalTokens: 12}
					if c.reply.Fault == modeltest.FaultLinger {
						want = got.Usage
					}
					if d := cmp.Diff(want, got.Usage); d != "" {
						t.Errorf("usage (-want +got):\n%s", d)
					}
				}
				if got.Model != "glm/glm-4-flash" {
					t.Errorf("model %q, want glm/glm-4-flash", got.Model)
				}
				if got.took > 5*time.Second {
					t.Errorf("took %v", got.took)
				}
			})
		})
	}
}

// TestBrokenAnswers: what the library takes for an answer and is none.
func TestBrokenAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		reply modeltest.Reply
		text  string
		code  fault.Code
	}{
		"error in mid-stream":         {modeltest.Reply{Text: "half an answer", Fault: modeltest.FaultError, After: 2}, "half an ", fault.CodeProviderFailed},
		"clean end in mid-stream":     {modeltest.Reply{Text: "half an answer", Fault: modeltest.FaultEnd, After: 2}, "half an ", fault.CodeProviderFailed},
		"connection cut":              {modeltest.Reply{Text: "half an answer", Fault: modeltest.FaultCut, After: 2}, "half an ", fault.CodeProviderFailed},
		"nothing more comes":          {modeltest.Reply{Text: "half an answer", Fault: modeltest.FaultStall, After: 2}, "half an ", fault.CodeProviderTime},
		"only comments come":          {modeltest.Reply{Text: "half an answer", Fault: modeltest.FaultNoise, After: 2}, "half an ", fault.CodeProviderTime},
		"nothing comes at all":        {modeltest.Reply{Fault: modeltest.FaultHang}, "", fault.CodeProviderTime},
		"finish reason network_error": {modeltest.Reply{Text: "I", Finish: "network_error"}, "I", fault.CodeProviderFailed},
		"a web page":                  {modeltest.Reply{Raw: "<html>", Type: "text/html"}, "", fault.CodeProviderFailed},
		"calls cut off":               {modeltest.Reply{Calls: twoCalls, Fault: modeltest.FaultEnd, After: 3}, "", fault.CodeProviderFailed},
		"reasoning, then cut":         {modeltest.Reply{Reasoning: "let me see", Fault: modeltest.FaultCut, After: 2}, "", fault.CodeProviderFailed},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Config{}, func(t *testing.T, s *modeltest.Server, m *Model) {
				s.Script(c.reply)
				got := ask(t, t.Context(), m, hello())
				var f *fault.Error
				if !errors.As(got.err, &f) || f.Code != c.code {
					t.Fatalf("error %v, want %s", got.err, c.code)
				}
				if f.RequestID != "req-1" || f.Hint == "" {
					t.Errorf("error %+v, want a request id and a hint", f)
				}
				if got.Text != c.text {
					t.Errorf("text %q, want %q", got.Text, c.text)
				}
				if n := len(s.Requests()); n != 1 {
					t.Errorf("%d requests, want 1: an answer had begun", n)
				}
			})
		})
	}
}

func TestSilenceIsMeasuredBetweenBytes(t *testing.T) {
	bubble(t, Config{Timeout: 60 * time.Second}, func(t *testing.T, s *modeltest.Server, m *Model) {
		s.Script(modeltest.Reply{Text: "slow but steady wins", FirstDelay: 59_000, Delay: 59_000})
		got := ask(t, t.Context(), m, hello())
		if got.err != nil || got.Text != "slow but steady wins" {
			t.Errorf("got %q, %v", got.Text, got.err)
		}
		s.Script(modeltest.Reply{Fault: modeltest.FaultHang})
		if got = ask(t, t.Context(), m, hello()); got.took != 60*time.Second {
			t.Errorf("silence noticed after %v, want 60s", got.took)
		}
	})
}

func TestCancelEndsTheRequest(t *testing.T) {
	for name, reply := range map[string]modeltest.Reply{
		"before the headers": {Fault: modeltest.FaultHang},
		"in mid-stream":      {Text: "one two three", Delay: 1000},
		"while it stalls":    {Text: "one two three", Fault: modeltest.FaultStall, After: 1},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Config{}, func(t *testing.T, s *modeltest.Server, m *Model) {
				s.Script(reply)
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(1500*time.Millisecond, cancel)
				got := ask(t, ctx, m, hello())
				if !errors.Is(got.err, context.Canceled) || fault.CodeOf(got.err) != fault.CodeCancelled {
					t.Errorf("error %v, want cancelled", got.err)
				}
				if got.took != 1500*time.Millisecond {
					t.Errorf("returned after %v, want at once", got.took)
				}
				<-s.Last().Done()
				if !s.Last().Cancelled() {
					t.Error("the provider's request was not ended")
				}
			})
		})
	}
}

// TestCancelIsNeverAnAnswer cancels at every event; the library alone gives a
// nil error in about half of these.
func TestCancelIsNeverAnAnswer(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, s *modeltest.Server, m *Model) {
		for n := 1; n <= 40; n++ {
			s.Script(modeltest.Reply{Text: strings.Repeat("word ", 41), Delay: 25})
			ctx, cancel := context.WithCancel(t.Context())
			pieces := 0
			a, err := m.Answer(ctx, hello(), func(string) {
				if pieces++; pieces == n {
					cancel()
				}
			})
			if !errors.Is(err, context.Canceled) || len(a.Text) >= 5*41 {
				t.Errorf("cut after %d: %d bytes, error %v; want cancelled", n, len(a.Text), err)
			}
			cancel()
		}
	})
}

func TestDeadline(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, s *modeltest.Server, m *Model) {
		s.Script(modeltest.Reply{Text: "a b c", Delay: 1000})
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		got := ask(t, ctx, m, hello())
		if !errors.Is(got.err, context.DeadlineExceeded) || fault.CodeOf(got.err) != fault.CodeProviderTime {
			t.Errorf("error %v, want provider_timeout", got.err)
		}
	})
}

func TestConnectionRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		c := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			tries++
			return nil, fmt.Errorf("dial %s: connection refused", r.URL)
		})}
		m, err := New(Config{Provider: OpenAI, Key: "k", URL: "https://user:sesame-sesame@host/v1", Client: c})
		if err != nil {
			t.Fatal(err)
		}
		got := ask(t, t.Context(), m, hello())
		if fault.CodeOf(got.err) != fault.CodeProviderFailed || tries != 3 {
			t.Errorf("error %v after %d tries, want provider_failed after 3", got.err, tries)
		}
		if strings.Contains(got.err.Error(), "sesame") {
			t.Errorf("the password stands in %q", got.err)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestCanary: a provider that repeats the key, in every place that it can.
func TestCanary(t *testing.T) {
	const key = "sk-CANARY-7f3a9"
	for name, reply := range map[string]modeltest.Reply{
		"status":    {Status: 401, Body: `{"error":{"message":"Incorrect API key provided: ` + key + `"}}`},
		"no JSON":   {Status: 400, Body: key},
		"in stream": {Text: "a b c", Raw: `data: {"error":{"message":"` + key + `","type":"invalid_request_error"}}` + "\n\n"},
		"as code":   {Status: 422, Body: `{"error":{"code":"` + key + `"}}`},
		"finish":    {Raw: `data: {"choices":[{"delta":{},"finish_reason":"error ` + key + `"}]}` + "\n\n"},
		"string":    {Status: 400, Body: `{"error":"` + key + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			bubble(t, Config{Key: key, Log: logTo(&log)}, func(t *testing.T, s *modeltest.Server, m *Model) {
				s.Script(reply, reply, reply)
				got := ask(t, t.Context(), m, hello())
				if got.err == nil {
					t.Fatal("no error")
				}
				wire, _ := json.Marshal(fault.From(got.err))
				for _, text := range []string{got.err.Error(), string(wire), log.String(), fmt.Sprintf("%+v", errors.Unwrap(got.err))} {
					if strings.Contains(strings.ToLower(text), "canary") {
						t.Errorf("the key stands in %q", text)
					}
				}
				if h := s.Last().Header.Get("Authorization"); h != "Bearer "+key {
					t.Errorf("Authorization %q, want the key", h)
				}
			})
		})
	}
}

func TestReasoningIsKeptAndSentBack(t *testing.T) {
	bubble(t, Config{Provider: DeepSeek}, func(t *testing.T, s *modeltest.Server, m *Model) {
		s.Script(modeltest.Reply{Reasoning: "I need 加法 first", Calls: twoCalls[:1]})
		got := ask(t, t.Context(), m, hello())
		if got.err != nil || got.Reasoning != "I need 加法 first" || got.Text != "" {
			t.Fatalf("reasoning %q, text %q, error %v", got.Reasoning, got.Text, got.err)
		}
		q := hello()
		q.Messages = append(q.Messages,
			got.Message(),
			loop.Message{Role: loop.RoleTool, CallID: "a", Name: "add", Text: "3"})
		ask(t, t.Context(), m, q)
		sent := s.Last().Messages
		if len(sent) != 4 || sent[2].Reasoning != "I need 加法 first" || sent[3].ToolCallID != "a" {
			t.Errorf("sent %+v", sent)
		}
	})
}

func TestReusesTheConnection(t *testing.T) {
	s := modeltest.New()
	url := s.Start(t)
	conns := map[string]bool{}
	m, err := New(Config{Provider: OpenAI, Key: "k", URL: url})
	if err != nil {
		t.Fatal(err)
	}
	s.Fallback(func(r *modeltest.Request) modeltest.Reply {
		return modeltest.Reply{Text: "hi"}
	})
	old := m.client.Transport
	m.client.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		return old.RoundTrip(r.WithContext(tracing(r.Context(), conns)))
	})
	for range 5 {
		if got := ask(t, t.Context(), m, hello()); got.err != nil {
			t.Fatal(got.err)
		}
	}
	if len(conns) != 1 {
		t.Errorf("%d connections for 5 answers, want 1", len(conns))
	}
}

// What the library would stumble over never reaches it, and how an answer ended is
// said in our words.
func TestHowAnAnswerEnds(t *testing.T) {
	for word, want := range map[string]chat.Finish{
		"stop": chat.FinishStop, "eos": chat.FinishStop, "length": chat.FinishLength, "max_tokens": chat.FinishLength,
		"content_filter": chat.FinishContentFilter, "sensitive": chat.FinishContentFilter, "refusal": chat.FinishRefusal,
		"function_call": chat.FinishStop, "tool_calls": chat.FinishStop, // no calls came
	} {
		bubble(t, Config{}, func(t *testing.T, s *modeltest.Server, m *Model) {
			s.Script(modeltest.Reply{Text: "hello", Finish: word})
			if got := ask(t, t.Context(), m, hello()); got.err != nil || got.Finish != want || got.Text != "hello" {
				t.Errorf("%s: %q %q, %v; want %q", word, got.Text, got.Finish, got.err, want)
			}
		})
	}
}
