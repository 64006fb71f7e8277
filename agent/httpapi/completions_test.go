package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// said asks as an OpenAI client does and gives the answer's text.
func said(t *testing.T, r *rig, messages ...string) string {
	t.Helper()
	m := r.call(http.MethodPost, chat.PathCompletions, `{"messages":[`+strings.Join(messages, ",")+`]}`, 200)
	return m["choices"].([]any)[0].(map[string]any)["message"].(map[string]any)["content"].(string)
}

func by(role, text string) string {
	b, _ := json.Marshal(map[string]string{"role": role, "content": text})
	return string(b)
}

// shown are the sessions with what their histories hold.
func shown(t *testing.T, r *rig) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, s := range r.call(http.MethodGet, chat.PathSessions, "", 200)["sessions"].([]any) {
		id := s.(map[string]any)["id"].(string)
		for _, m := range r.call(http.MethodGet, chat.PathHistory+"/"+id, "", 200)["messages"].([]any) {
			out[id] = append(out[id], m.(map[string]any)["content"].(string))
		}
	}
	return out
}

func only(t *testing.T, all map[string][]string) []string {
	t.Helper()
	if len(all) != 1 {
		t.Fatalf("got the sessions %v, want one", all)
	}
	for _, messages := range all {
		return messages
	}
	return nil
}

func TestAConversationOfAnOpenAIClientIsOneSession(t *testing.T) {
	r := newRig(t)
	said(t, r, by("system", "be brief"), by("user", "one"))
	said(t, r, by("system", "be brief"), by("user", "one"), by("assistant", "one"), by("user", "two"))
	if diff := cmp.Diff([]string{"one", "one", "two", "two"}, only(t, shown(t, r))); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	// The same place again is a branch, and another conversation another session.
	said(t, r, by("system", "be brief"), by("user", "one"), by("assistant", "one"), by("user", "three"))
	if diff := cmp.Diff([]string{"one", "one", "three", "three"}, only(t, shown(t, r))); diff != "" {
		t.Errorf("the newest branch (-want +got):\n%s", diff)
	}
	said(t, r, by("system", "be long"), by("user", "one"), by("assistant", "one"), by("user", "two"))
	if all := shown(t, r); len(all) != 2 {
		t.Errorf("got %v, want a session of its own for other instructions", all)
	}
}

func TestAConversationFromElsewhereBeginsWithWhatWasSaid(t *testing.T) {
	r := newRig(t)
	messages := []string{by("user", "a"), by("assistant", "b"), by("user", "c"), by("assistant", "d"), by("user", "e")}
	said(t, r, messages...)
	if diff := cmp.Diff([]string{"a", "b", "c", "d", "e", "e"}, only(t, shown(t, r))); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	// The session was cleared in the meantime: it begins again, with a copy.
	for id := range shown(t, r) {
		r.call(http.MethodDelete, chat.PathHistory+"/"+id, "", 200)
	}
	said(t, r, append(messages, by("assistant", "e"), by("user", "f"))...)
	if diff := cmp.Diff([]string{"a", "b", "c", "d", "e", "e", "f", "f"}, only(t, shown(t, r))); diff != "" {
		t.Errorf("history after it was cleared (-want +got):\n%s", diff)
	}
}

func TestCompletionsStream(t *testing.T) {
	r := newRig(t)
	w := newWire()
	r.ServeHTTP(w, r.request(http.MethodPost, chat.PathCompletions, `{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"three small words"}]}`))
	if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream") {
		t.Fatalf("got %v", w.Header())
	}
	var text string
	var ends []string
	lines := strings.Split(strings.TrimSpace(w.text.String()), "\n\n")
	for _, line := range lines[:len(lines)-1] {
		var c struct {
			Object, Model string
			Choices       []struct {
				Delta        struct{ Content string }
				FinishReason string `json:"finish_reason"`
			}
			Usage map[string]int
		}
		if err := json.Unmarshal([]byte(strings.TrimPrefix(line, "data: ")), &c); err != nil || c.Object != "chat.completion.chunk" || c.Model != "m" {
			t.Fatalf("%q: %v", line, err)
		}
		for _, choice := range c.Choices {
			text += choice.Delta.Content
			ends = append(ends, choice.FinishReason)
		}
		if len(c.Choices) == 0 && c.Usage["total_tokens"] != 3 {
			t.Errorf("usage: got %v", c.Usage)
		}
	}
	if text != "three small words" || ends[len(ends)-1] != "stop" || slices.Contains(ends[:len(ends)-1], "stop") || lines[len(lines)-1] != "data: [DONE]" {
		t.Errorf("got %q, ends %q, last %q", text, ends, lines[len(lines)-1])
	}
}

func TestCompletionsFail(t *testing.T) {
	r := newRig(t)
	w := r.do(r.request(http.MethodPost, chat.PathCompletions, `{"messages":[{"role":"user","content":"fail"}]}`))
	if w.Code != 503 || w.Header().Get("Retry-After") != "7" {
		t.Errorf("got %d %v %s, want 503 with Retry-After 7", w.Code, w.Header(), w.Body)
	}
	stream := newWire()
	r.ServeHTTP(stream, r.request(http.MethodPost, chat.PathCompletions, `{"stream":true,"messages":[{"role":"user","content":"fail"}]}`))
	if body := stream.text.String(); !strings.Contains(body, `"code":"provider_busy"`) || strings.Contains(body, "[DONE]") || strings.Contains(body, `"finish_reason":"stop"`) {
		t.Errorf("a stream that failed: got %s", body)
	}
	// An answer that failed is no place to go on from.
	said(t, r, by("user", "fail"), by("assistant", ""), by("user", "two"))
	if n := len(shown(t, r)); n != 3 {
		t.Errorf("%d sessions, want one for each", n)
	}
}

// What a model thought stands beside the content, in one answer and in a stream, in
// the history of those who ask for it, and in the events of a session.
func TestReasoningIsBesideTheContent(t *testing.T) {
	r := newRig(t)
	body := `{"messages":[{"role":"user","content":"think about it"}],"stream":`
	whole := r.call(http.MethodPost, chat.PathCompletions, body+`false}`, 200)["choices"].([]any)[0].(map[string]any)["message"].(map[string]any)
	if whole["content"] != "think about it" || whole["reasoning_content"] != "because so" {
		t.Errorf("got %v", whole)
	}
	w := newWire()
	r.ServeHTTP(w, r.request(http.MethodPost, chat.PathCompletions, body+`true}`))
	var text, thought string
	for line := range strings.SplitSeq(w.text.String(), "\n\n") {
		var c struct {
			Choices []struct {
				Delta struct {
					Content   string
					Reasoning string `json:"reasoning_content"`
				}
			}
		}
		_ = json.Unmarshal([]byte(strings.TrimPrefix(line, "data: ")), &c)
		for _, choice := range c.Choices {
			text, thought = text+choice.Delta.Content, thought+choice.Delta.Reasoning
		}
	}
	if text != "think about it" || thought != "because so" {
		t.Errorf("the stream says %q and thought %q", text, thought)
	}
	r.call(http.MethodPost, chat.PathChat, `{"message":"think","sessionId":"s"}`, 200)
	for query, want := range map[string]any{"": nil, "?reasoning=1": "because so"} {
		messages := r.call(http.MethodGet, chat.PathHistory+"/s"+query, "", 200)["messages"].([]any)
		if got := messages[len(messages)-1].(map[string]any); got["reasoning"] != want || got["content"] != "think" {
			t.Errorf("history%s: got %v", query, got)
		}
	}
	w = newWire()
	r.ServeHTTP(w, r.request(http.MethodGet, chat.PathSessions+"/s/events?until=idle", ""))
	if got := w.text.String(); strings.Count(got, "event: reasoning_chunk") != 1 || !strings.Contains(got, `"content":"because so"`) {
		t.Errorf("a replay: %s", got)
	}
}

// The time of a provider that is over is not the pause after which a stream says that
// it is there.
func TestAQuestionWhoseProviderIsLateEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		body := `{"model":"m","stream":true,"response_format":{"type":"json_object"},"messages":[{"role":"user","content":"late"}]}`
		w := newWire()
		r.ServeHTTP(w, r.request(http.MethodPost, chat.PathCompletions, body).WithContext(ctx))
		if text := w.text.String(); ctx.Err() != nil || !strings.Contains(text, string(fault.CodeProviderFailed)) {
			t.Errorf("it ends with %q, %v", text[max(0, len(text)-300):], ctx.Err())
		}
	})
}
