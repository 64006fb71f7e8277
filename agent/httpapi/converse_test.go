package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

// Whatever a client does with what it sends along, its conversation is one session.
func TestAConversationIsOneSessionWhateverItsClientSends(t *testing.T) {
	type turn struct{ user, answer string }
	for name, send := range map[string]func(turns []turn, i int) []string{
		"a clock": func(turns []turn, i int) []string {
			out := []string{by("system", fmt.Sprintf("Be kind. It is 12:00:0%d.", i))}
			for _, e := range turns {
				out = append(out, by("user", e.user), by("assistant", e.answer))
			}
			return out
		},
		"a clock in other words each time": func(turns []turn, i int) []string {
			out := []string{by("system", time.Date(2026, 11, 27+i, 23, 59, 0, 0, time.UTC).Format("Monday 2 January 2006"))}
			for _, e := range turns {
				out = append(out, by("user", e.user), by("assistant", e.answer))
			}
			return out
		},
		"a window": func(turns []turn, _ int) (out []string) {
			for _, e := range turns[max(0, len(turns)-2):] {
				out = append(out, by("user", e.user), by("assistant", e.answer))
			}
			return out
		},
		"a window of one": func(turns []turn, _ int) (out []string) {
			for _, e := range turns[max(0, len(turns)-1):] {
				out = append(out, by("user", e.user), by("assistant", e.answer))
			}
			return out
		},
		"a window that cuts an exchange": func(turns []turn, _ int) (out []string) {
			for _, e := range turns {
				out = append(out, by("user", e.user), by("assistant", e.answer))
			}
			return out[max(0, len(out)-3):]
		},
		"a greeting": func(turns []turn, _ int) []string {
			out := []string{by("assistant", "Hello, how are you?")}
			for _, e := range turns {
				out = append(out, by("user", e.user), by("assistant", e.answer))
			}
			return out
		},
		"cuts": func(turns []turn, _ int) (out []string) {
			for _, e := range turns {
				out = append(out, by("user", " "+e.user+"\n"), by("assistant", e.answer[:len(e.answer)-3]+"…"))
			}
			return out
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			var turns []turn
			var want []string
			for i := range 6 {
				message := fmt.Sprintf("message %d of this talk", i)
				answer := said(t, r, append(send(turns, i), by("user", message))...)
				turns = append(turns, turn{message, answer})
				want = append(want, message, answer)
			}
			if diff := cmp.Diff(want, only(t, shown(t, r))); diff != "" {
				t.Errorf("history (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAConversationIsNeverAnotherUsers(t *testing.T) {
	r := newRig(t)
	ask := func(user string, messages ...string) {
		t.Helper()
		q := r.request(http.MethodPost, chat.PathCompletions, `{"messages":[`+strings.Join(messages, ",")+`]}`)
		r.allow(q, pass.Pass{User: user, Scopes: []string{"chat", "read"}})
		if w := r.do(q); w.Code != 200 {
			t.Fatalf("%s: %d %s", user, w.Code, w.Body)
		}
	}
	talk := []string{by("user", "the same words in both talks"), by("assistant", "the same words in both talks"), by("user", "go on")}
	ask("alice", talk[0])
	ask("bob", talk...)
	if got := only(t, shown(t, r)); len(got) != 2 {
		t.Errorf("alice's session holds %q", got)
	}
}

// Another process (after a restart, or beside this one) finds it in the store.
func TestAConversationIsFoundByAnotherProcess(t *testing.T) {
	r := newRig(t)
	said(t, r, by("user", "one"))
	said(t, r, by("user", "one"), by("assistant", "one"), by("user", "two"))
	other := New(r.Config)
	r.Server = other
	said(t, r, by("user", "one"), by("assistant", "one"), by("user", "two"), by("assistant", "two"), by("user", "three"))
	if diff := cmp.Diff([]string{"one", "one", "two", "two", "three", "three"}, only(t, shown(t, r))); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

// Two conversations that began alike go on in two sessions.
func TestConversationsThatBeganAlike(t *testing.T) {
	r := newRig(t)
	begin := []string{by("user", "hi"), by("assistant", "hi")}
	said(t, r, begin[0])
	said(t, r, begin[0])
	said(t, r, append(slices.Clone(begin), by("user", "one"))...)
	said(t, r, append(slices.Clone(begin), by("user", "two"))...)
	all := shown(t, r)
	if len(all) != 2 {
		t.Fatalf("got %v, want two sessions", all)
	}
	for id, got := range all {
		if len(got) != 4 {
			t.Errorf("%s holds %q, want one of the two", id, got)
		}
	}
}

// A request with a key that is sent again is the same request, also where its
// session began with a copy.
func TestACompletionWithAKeyThatIsSentAgain(t *testing.T) {
	r := newRig(t)
	ids := map[string]bool{}
	for range 2 {
		q := r.request(http.MethodPost, chat.PathCompletions, `{"messages":[`+by("user", "go on")+","+by("assistant", "go on")+","+by("user", "go on")+`]}`)
		q.Header.Set(chat.HeaderIdempotencyKey, "k")
		w := r.do(q)
		var m struct{ ID string }
		if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil || w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		ids[m.ID] = true
	}
	if got := only(t, shown(t, r)); len(ids) != 1 || len(got) != 4 {
		t.Errorf("%d answers, and a session of %q", len(ids), got)
	}
}

// A chat client's own questions leave nothing, and what a person writes is kept.
func TestTasksLeaveNothing(t *testing.T) {
	r := newRig(t)
	remark := "记住 the pier is closed on Mondays"
	said(t, r, by("user", remark))
	before := shown(t, r)
	for _, what := range []string{"a title", "some tags", "follow-ups"} {
		task := "### Task:\nWrite " + what + " for the chat.\n<chat_history>\nUSER: " + remark + "\nASSISTANT: " + remark + "\n</chat_history>"
		if got := said(t, r, by("user", task)); got != task {
			t.Errorf("%s: the model was asked %q", what, got)
		}
	}
	w := newWire()
	r.ServeHTTP(w, r.request(http.MethodPost, chat.PathCompletions, `{"stream":true,"stream_options":{"include_usage":true},"messages":[`+by("system", "Answer with a title.")+","+by("user", "user: "+remark+"\nassistant: ok")+`]}`))
	if body := w.text.String(); !strings.Contains(body, `"finish_reason":"stop"`) || !strings.Contains(body, `"total_tokens":3`) || !strings.HasSuffix(strings.TrimSpace(body), "data: [DONE]") {
		t.Errorf("a task as a stream: got %s", body)
	}
	if diff := cmp.Diff(before, shown(t, r)); diff != "" {
		t.Errorf("the sessions (-want +got):\n%s", diff)
	}
	if got := r.call(http.MethodGet, chat.PathMemorySearch, "", 200)["results"].([]any); len(got) != 1 {
		t.Errorf("%d memories, want one: %v", len(got), got)
	}
	// One that fails says why, in either form.
	fail := `"messages":[` + by("system", "Answer with a title.") + "," + by("user", "fail") + `],"max_tokens":4`
	if w := r.do(r.request(http.MethodPost, chat.PathCompletions, "{"+fail+"}")); w.Code != 503 || !strings.Contains(w.Body.String(), "provider_busy") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	// A task that goes on as a conversation becomes one, with all of it.
	task := "A title for this:\n\nConversation:\nUser: hi\nAI: hello"
	said(t, r, by("user", task))
	said(t, r, by("user", task), by("assistant", task), by("user", "a shorter one"))
	if got := len(shown(t, r)); got != 2 {
		t.Errorf("%d sessions, want the conversation that began as a task", got)
	}
	r.call(http.MethodPost, chat.PathCompletions, `{"store":true,"messages":[`+by("user", task)+`]}`, 200)
	if got := len(shown(t, r)); got != 3 {
		t.Errorf("%d sessions, want one more for what is to be stored", got)
	}
}

// A client that asks for its title at the end of all that was said.
func TestATitleAtTheEndOfAConversation(t *testing.T) {
	r := newRig(t)
	stream := newWire()
	r.ServeHTTP(stream, r.request(http.MethodPost, chat.PathCompletions, `{"stream":true,"messages":[`+by("user", "where is the boat")+`]}`))
	said(t, r, by("user", "where is the boat"), by("assistant", "where is the boat"), by("user", "A title of four words for our talk, please."))
	if got := only(t, shown(t, r)); len(got) != 2 {
		t.Errorf("the session holds %q", got)
	}
}

// OpenAI's clients read an error only as an object, at every path of theirs.
func TestErrorsOfOpenAIPathsAreObjects(t *testing.T) {
	r := newRig(t)
	hi := `"messages":[` + by("user", "hi") + `]`
	for _, tt := range []struct {
		method, path, body string
		status             int
		code, kind, param  string
	}{
		{"POST", chat.PathCompletions, `{`, 400, "invalid_json", "invalid_request_error", ""},
		{"POST", chat.PathCompletions, `{}`, 400, "missing_message", "invalid_request_error", "messages"},
		{"POST", chat.PathCompletions, `{"n":2,` + hi + `}`, 400, "unsupported", "invalid_request_error", "n"},
		{"POST", chat.PathCompletions, `{"tools":[{"type":"function"}],` + hi + `}`, 400, "unsupported", "invalid_request_error", "tools"},
		{"POST", chat.PathCompletions, `{"tool_choice":"auto",` + hi + `}`, 400, "unsupported", "invalid_request_error", "tool_choice"},
		{"POST", chat.PathCompletions + "/", `{"n":2,` + hi + `}`, 400, "unsupported", "invalid_request_error", "n"},
		{"POST", chat.PathCompletions, `{"messages":[` + by("user", "fail") + `]}`, 503, "provider_busy", "server_error", ""},
		{"GET", chat.PathOpenAIModels + "/gpt-x", "", 404, "not_found", "invalid_request_error", "model"},
		{"GET", chat.PathOpenAIModels + "/openai/gpt-4o", "", 404, "not_found", "invalid_request_error", "model"},
		{"GET", chat.PathOpenAIModels + "/openai%2Fgpt-4o/", "", 404, "not_found", "invalid_request_error", "model"},
		{"GET", "/v1/nothing", "", 404, "not_found", "invalid_request_error", ""},
		{"DELETE", chat.PathCompletions, "", 405, "method_not_allowed", "invalid_request_error", ""},
	} {
		w := r.do(r.request(tt.method, tt.path, tt.body))
		var got struct {
			Error struct{ Message, Type, Param, Code, Hint, RequestID string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Errorf("%s %s: %v: %s", tt.method, tt.path, err, w.Body)
			continue
		}
		if e := got.Error; w.Code != tt.status || e.Code != tt.code || e.Type != tt.kind || e.Param != tt.param || e.Message == "" || e.Hint == "" || e.RequestID != "req_1" {
			t.Errorf("%s %s %s: got %d %+v", tt.method, tt.path, tt.body, w.Code, e)
		}
	}
	q := r.request("GET", chat.PathOpenAIModels, "")
	q.Header.Del(chat.HeaderPass)
	if w := r.do(q); w.Code != 401 || !strings.Contains(w.Body.String(), `"type":"authentication_error"`) {
		t.Errorf("without a pass: got %d %s", w.Code, w.Body)
	}
	refused(t, "another path keeps its form", r.do(r.request("GET", "/api/sessions/none", "")), 404, "not_found")
}

func TestModels(t *testing.T) {
	r := newRig(t)
	one := r.call("GET", chat.PathOpenAIModels+"/loongclaw", "", 200)
	for _, path := range []string{chat.PathOpenAIModels, chat.PathOpenAIModels + "/"} {
		list := r.call("GET", path, "", 200)
		if diff := cmp.Diff([]any{one}, list["data"]); diff != "" {
			t.Errorf("%s (-one +list):\n%s", path, diff)
		}
	}
	if one["id"] != "loongclaw" || one["object"] != "model" {
		t.Errorf("got %v", one)
	}
	r.call("GET", chat.PathOpenAIModels+"/loongclaw/", "", 200)
	r.call("GET", chat.PathOpenAIModels+"/loong%63law", "", 200)
}

// What a message brings along is in its events and in the history; what cannot be is
// refused, and nothing of it is kept.
func TestAttachmentsOfAMessage(t *testing.T) {
	r := newRig(t)
	for path, body := range map[string]string{"notes/plan.txt": "honey", "a.bin": "\x00\x01", "b.txt": ""} {
		if w := r.do(r.request("PUT", "/api/files/"+path, body)); w.Code != 200 {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	for _, path := range []string{chat.PathChat, "/api/sessions/s/runs"} {
		for attachments, want := range map[string]struct {
			status int
			code   fault.Code
		}{
			`[{"path":"gone.txt"}]`:                        {404, "not_found"},
			`[{"path":"notes/plan.txt"},{"path":"a.bin"}]`: {415, "unsupported_media"},
			`[{"path":"../a"}]`:                            {400, "invalid_request"},
			`[{"path":"notes"}]`:                           {400, "invalid_request"},
			`[{}]`:                                         {400, "invalid_request"},
			`["notes/plan.txt"]`:                           {400, "invalid_request"},
			`[` + strings.Repeat(`{"path":"b.txt"},`, 16) + `{"path":"b.txt"}]`: {400, "invalid_request"},
		} {
			refused(t, path+" "+attachments, r.do(r.request("POST", path, `{"message":"hi","attachments":`+attachments+`}`)), want.status, want.code)
		}
	}
	if all := shown(t, r); len(all) != 0 {
		t.Errorf("sessions were left: %v", all)
	}
	r.call("POST", chat.PathChat, `{"message":"hi","attachments":[]}`, 200)
	r.call("POST", chat.PathChat, `{"message":"look","sessionId":"s","attachments":[{"path":"./notes/plan.txt"},{"path":"b.txt"}]}`, 200)
	want := []any{
		map[string]any{"path": "notes/plan.txt", "name": "plan.txt", "mediaType": "text/plain", "size": 5.0, "sha256": "34f9741a41a6f6ca5de5e24a9bbf64e58e9a1ebcd9a0ec2fd54be8ffcca8ab56"},
		map[string]any{"path": "b.txt", "name": "b.txt", "mediaType": "text/plain", "size": 0.0, "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "error": "it is empty"},
	}
	first := r.call("GET", "/api/history/s", "", 200)["messages"].([]any)[0].(map[string]any)
	want[0].(map[string]any)["sha256"] = hashOf("honey")
	if diff := cmp.Diff(want, first["attachments"]); diff != "" {
		t.Errorf("in the history (-want +got):\n%s", diff)
	}
	q := r.request("GET", "/api/sessions/s/events", "")
	q.Header.Set("Accept", "application/json")
	var page struct{ Events []map[string]any }
	if err := json.Unmarshal(r.do(q).Body.Bytes(), &page); err != nil || page.Events[0]["type"] != "message" {
		t.Fatalf("%v, %v", page, err)
	}
	if diff := cmp.Diff(want, page.Events[0]["attachments"]); diff != "" {
		t.Errorf("in the event (-want +got):\n%s", diff)
	}
}

// TestAnImageOfAnOpenAIClientIsAnAttachment of that message, in the session that its
// conversation has; what is no image is refused.
func TestAnImageOfAnOpenAIClientIsAnAttachment(t *testing.T) {
	r := newRig(t)
	ask := func(url string) string {
		return `{"messages":[{"role":"user","content":[{"type":"text","text":"look at this"},{"type":"image_url","image_url":{"url":"` + url + `"}}]}]}`
	}
	gif := "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
	for _, url := range []string{"https://example.com/a.png", "data:image/png;base64,aGVsbG8="} {
		refused(t, url, r.do(r.request("POST", chat.PathCompletions, ask(url))), 400, "unsupported")
	}
	if all := shown(t, r); len(all) != 0 {
		t.Errorf("sessions were left: %v", all)
	}
	// This rig has no worker, so that the image cannot be looked at for now.
	refused(t, "no worker", r.do(r.request("POST", chat.PathCompletions, ask("data:image/png;base64,"+gif))), 503, "unavailable")
	r.call("POST", chat.PathCompletions, `{"messages":[`+by("user", "one")+`]}`, 200)
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// What is to be JSON is answered by the model alone, in either form, and leaves nothing.
func TestAnAnswerInJSONLeavesNothing(t *testing.T) {
	r := newRig(t)
	schema := `{"name":"label","strict":true,"schema":{"type":"object","properties":{"title":{"type":"string"}}}}`
	format := `"response_format":{"type":"json_schema","json_schema":` + schema + `},`
	forced := `"tools":[{"type":"function","function":{"name":"label","parameters":{"type":"object"}}}],"tool_choice":{"type":"function","function":{"name":"label"}},`
	title := `{"title":"记住 the pier"}`
	fenced := "```json\n" + title + "\n```"
	ask := func(what, message string, more ...string) map[string]any {
		m := r.call(http.MethodPost, chat.PathCompletions, "{"+what+`"messages":[`+strings.Join(append(more, by("user", message)), ",")+`]}`, 200)
		return m["choices"].([]any)[0].(map[string]any)
	}
	for name, what := range map[string]string{"a schema": format, "any JSON": `"response_format":{"type":"json_object"},`} {
		for _, more := range [][]string{nil, {by("system", "name it")}, {by("user", "a"), by("assistant", "b")}} {
			got := ask(what, fenced, more...)
			if got["message"].(map[string]any)["content"] != title || got["finish_reason"] != "stop" {
				t.Errorf("%s: got %v", name, got)
			}
		}
	}
	if got := ask(format, "no JSON at all"); got["message"].(map[string]any)["content"] != "no JSON at all" {
		t.Errorf("an answer that is none: got %v", got)
	}
	got := ask(forced, fenced)
	calls, _ := got["message"].(map[string]any)["tool_calls"].([]any)
	if len(calls) != 1 || got["finish_reason"] != "tool_calls" {
		t.Fatalf("a call: got %v", got)
	}
	if f := calls[0].(map[string]any)["function"].(map[string]any); f["name"] != "label" || f["arguments"] != title {
		t.Errorf("a call: got %v", f)
	}
	// Nobody may run a tool with what is no object.
	r.call(http.MethodPost, chat.PathCompletions, `{`+forced+`"messages":[`+by("user", "no JSON at all")+`]}`, 502)

	for what, want := range map[string]string{format: `"content":"{\"title\"`, forced: `"tool_calls":[{"index":0`} {
		w := newWire()
		r.ServeHTTP(w, r.request(http.MethodPost, chat.PathCompletions, `{"stream":true,`+what+`"messages":[`+by("user", fenced)+`]}`))
		if body := w.text.String(); strings.Count(body, want) != 1 || strings.Contains(body, "`") || !strings.HasSuffix(strings.TrimSpace(body), "data: [DONE]") {
			t.Errorf("a stream: got %s, want %s in it once", body, want)
		}
	}
	w := newWire()
	r.ServeHTTP(w, r.request(http.MethodPost, chat.PathCompletions, `{"stream":true,`+forced+`"messages":[`+by("user", "no JSON")+`]}`))
	if body := w.text.String(); strings.Contains(body, "tool_calls") || !strings.Contains(body, "provider_failed") || strings.Contains(body, "[DONE]") {
		t.Errorf("a stream without an object: got %s", body)
	}

	// What asks to be kept is told that this is not.
	r.call(http.MethodPost, chat.PathCompletions, `{"store":true,`+format+`"messages":[`+by("user", "x")+`]}`, 400)
	q := r.request(http.MethodPost, chat.PathCompletions, "{"+format+`"messages":[`+by("user", "x")+`]}`)
	q.Header.Set(chat.HeaderIdempotencyKey, "k")
	if w := r.do(q); w.Code != 400 || !strings.Contains(w.Body.String(), `"param":"response_format"`) {
		t.Errorf("with a key: got %d %s", w.Code, w.Body)
	}
	if all := shown(t, r); len(all) != 0 {
		t.Errorf("sessions were left: %v", all)
	}
	if got := r.call(http.MethodGet, chat.PathMemorySearch, "", 200)["results"].([]any); len(got) != 0 {
		t.Errorf("memories were left: %v", got)
	}
}

// TestWhatAMessageBroughtAlongHasAnAddress that a browser may keep, and neither shows nor
// runs.
func TestWhatAMessageBroughtAlongHasAnAddress(t *testing.T) {
	r := newRig(t)
	r.do(r.request("PUT", "/api/files/plan.html", "<script>honey</script>"))
	r.call("POST", chat.PathChat, `{"message":"look","sessionId":"熊 a","attachments":[{"path":"plan.html"}]}`, 200)
	r.do(r.request("PUT", "/api/files/plan.html", "nothing"))
	at := "/api/sessions/%E7%86%8A%20a/attached/"
	w := r.do(r.request("GET", at+hashOf("<script>honey</script>"), ""))
	head := []string{w.Header().Get("Content-Type"), w.Header().Get("Content-Disposition"), w.Header().Get("X-Content-Type-Options"), w.Header().Get("Cache-Control")}
	if diff := cmp.Diff([]string{"text/plain", "attachment", "nosniff", "private, max-age=31536000, immutable"}, head); diff != "" || w.Code != 200 || w.Body.String() != "<script>honey</script>" {
		t.Errorf("%d %q (-want +got):\n%s", w.Code, w.Body, diff)
	}
	for _, other := range []string{hashOf("nothing"), "..", "%2e%2e", "%00", "%2f", strings.Repeat("0", 64), strings.Repeat("a", 300)} {
		w := r.do(r.request("GET", at+other, ""))
		if w.Code != 404 || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%.70s: %d %q, %q", other, w.Code, w.Body, w.Header().Get("Cache-Control"))
		}
	}
	refused(t, "another session", r.do(r.request("GET", "/api/sessions/b/attached/"+hashOf("<script>honey</script>"), "")), 404, "not_found")
}
