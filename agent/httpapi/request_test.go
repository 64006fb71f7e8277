package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/files"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func quoted(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestAFieldIsNamedAsItWasSent has what is wrong with a body said by the names that
// stand in it.
func TestAFieldIsNamedAsItWasSent(t *testing.T) {
	r := newRig(t)
	for body, field := range map[string]string{
		`{"message":7}`: "message", `{"message":"hi","model":[]}`: "model", `{"message":"hi","stream":"yes"}`: "stream", `{"message":"hi","sessionId":{}}`: "sessionId",
	} {
		if got := r.call(http.MethodPost, chat.PathChat, body, http.StatusBadRequest)["error"]; !strings.HasPrefix(fmt.Sprint(got), "the field "+field+" has") {
			t.Errorf("%s is answered with %q, which does not name %q", body, got, field)
		}
	}
}

func TestBadBodies(t *testing.T) {
	r := newRig(t)
	big := strings.Repeat("a", chat.MaxMessage+1)
	for _, c := range []struct {
		path, body string
		status     int
		code       fault.Code
	}{
		{chat.PathChat, ``, 400, fault.CodeInvalidJSON},
		{chat.PathChat, `{`, 400, fault.CodeInvalidJSON},
		{chat.PathChat, `{"message":"hi"} {}`, 400, fault.CodeInvalidJSON},
		{chat.PathChat, "\xff", 400, fault.CodeInvalidJSON},
		{chat.PathChat, `[]`, 400, fault.CodeInvalidRequest},
		{chat.PathChat, `"hi"`, 400, fault.CodeInvalidRequest},
		{chat.PathChat, `{"message":7}`, 400, fault.CodeInvalidRequest},
		{chat.PathChat, `{"message":"hi","stream":"yes"}`, 400, fault.CodeInvalidRequest},
		{chat.PathChat, `null`, 400, fault.CodeMissingMessage},
		{chat.PathChat, `{}`, 400, fault.CodeMissingMessage},
		{chat.PathChat, `{"message":" "}`, 400, fault.CodeMissingMessage},
		{chat.PathChat, `{"message":"hi","sessionId":"../x"}`, 400, fault.CodeInvalidSession},
		{chat.PathChat, `{"message":"hi","sessionId":"a\u0000"}`, 400, fault.CodeInvalidSession},
		{chat.PathChat, `{"message":"hi","sessionId":"` + strings.Repeat("x", 300) + `"}`, 400, fault.CodeInvalidSession},
		{chat.PathChat, `{"message":"hi","parentId":"msg_none"}`, 400, fault.CodeInvalidRequest},
		{chat.PathChat, `{"message":"` + big + `"}`, 413, fault.CodeTooLarge},
		{chat.PathChat, `{"message":"hi","x":"` + strings.Repeat("a", maxBody) + `"}`, 413, fault.CodeTooLarge},
		{chat.PathChat, `{"message":"fail"}`, 503, fault.CodeProviderBusy},
		{"/api/sessions/s/runs", `{"message":""}`, 400, fault.CodeMissingMessage},
		{"/api/sessions/none/cancel", ``, 404, fault.CodeNotFound},
		{"/api/sessions/none/regenerate", `{}`, 404, fault.CodeNotFound},
		{"/api/approvals/none", `{"decision":"once"}`, 404, fault.CodeNotFound},
		{"/api/approvals/none", `{"decision":"perhaps"}`, 400, fault.CodeInvalidRequest},
		{chat.PathMemory, `{"tags":"x"}`, 400, fault.CodeInvalidRequest},
		{chat.PathMemory, `{"content":""}`, 400, fault.CodeInvalidRequest},
	} {
		name := c.path + " " + c.body[:min(len(c.body), 50)]
		w := r.do(r.request(http.MethodPost, c.path, c.body))
		if c.body == `{"message":"fail"}` && w.Header().Get("Retry-After") != "7" {
			t.Errorf("%s: Retry-After %q, want 7", name, w.Header().Get("Retry-After"))
		}
		if !strings.Contains(w.Body.String(), `"requestId":"req_1"`) {
			t.Errorf("%s: no request id: %s", name, w.Body)
		}
		refused(t, name, w, c.status, c.code)
	}
}

// The largest message fits, also with every byte of it escaped.
func TestTheLargestMessageFits(t *testing.T) {
	r := newRig(t)
	text := strings.Repeat("\x01", chat.MaxMessage)
	run := r.call(http.MethodPost, "/api/sessions/s/runs", `{"message":`+quoted(t, text)+`}`, 202)
	if run["sessionId"] != "s" || run["cursor"] == "" {
		t.Errorf("got %v", run)
	}
	h := r.call(http.MethodGet, "/api/history/s", "", 200)
	if got := h["messages"].([]any)[0].(map[string]any)["content"]; got != text {
		t.Errorf("%d bytes came back", len(got.(string)))
	}
}

// endless is a body that never ends.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return copy(p, strings.Repeat(" ", len(p))), nil
}

func TestABodyWithoutAnEndIsReadToItsLimit(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		method, path string
		limit        int
	}{
		{http.MethodPost, chat.PathChat, maxBody},
		{http.MethodPost, "/api/sessions/s/runs", maxBody},
		{http.MethodPost, "/api/sessions/s/cancel", maxBody},
		{http.MethodPatch, "/api/sessions/s", maxBody},
		{http.MethodPost, chat.PathMemory, maxBody},
		{http.MethodPut, "/api/files/a", files.MaxFile},
	} {
		body := &endless{}
		q := r.request(c.method, c.path, "")
		q.Body, q.ContentLength = io.NopCloser(body), -1
		refused(t, c.method+" "+c.path, r.do(q), 413, fault.CodeTooLarge)
		if body.read > 2*c.limit+1<<20 {
			t.Errorf("%s: %d bytes were read", c.path, body.read)
		}
	}
	q := r.request(http.MethodPost, chat.PathMemoryImport, "")
	body := &endless{}
	q.Body, q.ContentLength = io.NopCloser(body), maxImport+1
	refused(t, "an import that says its size", r.do(q), 413, fault.CodeTooLarge)
	if body.read > 0 {
		t.Errorf("%d bytes were read of a body that says that it is too large", body.read)
	}
}

func TestABodyThatBreaksOffIsNoMessage(t *testing.T) {
	r := newRig(t)
	q := r.request(http.MethodPost, chat.PathChat, "")
	q.Body, q.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader(`{"message":"hi"}`), broken{})), -1
	if w := r.do(q); w.Code < 400 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if got := r.call(http.MethodGet, chat.PathSessions, "", 200)["sessions"].([]any); len(got) != 0 {
		t.Errorf("half a request made a session: %v", got)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("connection reset by peer") }

// A name in the path is decoded once: a percent sign in an id stays one, and
// what is encoded twice does not become a slash.
func TestPathsAreDecodedOnce(t *testing.T) {
	r := newRig(t)
	for _, id := range []string{"plain", "工作 1", "a%b", "%2e%2e", "%252F", "a+b", "a?b#c", "~!$&'()*,;=:@", "all of them", "..."} {
		run := r.call(http.MethodPost, "/api/sessions/"+url.PathEscape(id)+"/runs", `{"message":"hi"}`, 202)
		if run["sessionId"] != id {
			t.Errorf("%q became %q", id, run["sessionId"])
		}
		if got := r.call(http.MethodGet, "/api/sessions/"+url.PathEscape(id), "", 200)["id"]; got != id {
			t.Errorf("%q is read as %q", id, got)
		}
		if got := r.call(http.MethodGet, "/api/history/"+url.PathEscape(id), "", 200)["sessionId"]; got != id {
			t.Errorf("the history of %q is that of %q", id, got)
		}
		file := "dir 1/" + id + ".md"
		parts := "/api/files/" + url.PathEscape("dir 1") + "/" + url.PathEscape(id+".md")
		if got := r.call(http.MethodPut, parts, id, 200)["path"]; got != file {
			t.Errorf("the file %q became %q", file, got)
		}
		if w := r.do(r.request(http.MethodGet, parts, "")); w.Body.String() != id {
			t.Errorf("the file %q holds %d %q", file, w.Code, w.Body)
		}
	}
	for _, raw := range []string{"a%2Fb", "%2e%2e", "..%2F..%2Fbob", "a%5Cb", "%00", "a%0Ab", strings.Repeat("x", 300), strings.Repeat("%E7%86%8A", 50), "%ff"} {
		refused(t, raw, r.do(r.request(http.MethodPost, "/api/sessions/"+raw+"/runs", `{"message":"hi"}`)), 400, fault.CodeInvalidSession)
	}
	for _, raw := range []string{"..%2Fx", "%2e%2e/x", "a/%2e%2e/%2e%2e/x", "%00", "a%0Ab"} {
		if w := r.do(r.request(http.MethodPut, "/api/files/"+raw, "x")); w.Code != 400 {
			t.Errorf("the file %s: got %d %s", raw, w.Code, w.Body)
		}
	}
}

func TestFilesAreNeverRunByABrowser(t *testing.T) {
	r := newRig(t)
	r.call(http.MethodPut, "/api/files/a.html", "<script>", 200)
	w := r.do(r.request(http.MethodGet, "/api/files/a.html", ""))
	h := w.Header()
	if h.Get("Content-Type") != "application/octet-stream" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Disposition") != "attachment" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("got %v", h)
	}
}

func TestNumbersInTheQuery(t *testing.T) {
	r := newRig(t)
	r.call(http.MethodPost, chat.PathChat, `{"message":"hi","sessionId":"s"}`, 200)
	for _, path := range []string{"/api/history/s?limit=", chat.PathSessions + "?limit=", chat.PathSessions + "?after=", chat.PathMemorySearch + "?limit="} {
		for _, bad := range []string{"-1", "x", "1.5", "99999999999999999999", "1 "} {
			refused(t, path+bad, r.do(r.request(http.MethodGet, path+url.QueryEscape(bad), "")), 400, fault.CodeInvalidRequest)
		}
	}
}

func TestTheConfigHasThePublicPort(t *testing.T) {
	r := newRig(t)
	for sent, want := range map[string]float64{"8787": 8787, "": 0, "x": 0} {
		q := r.request(http.MethodGet, chat.PathConfig, "")
		q.Header.Set(chat.HeaderPublicPort, sent)
		var m map[string]any
		if err := json.Unmarshal(r.do(q).Body.Bytes(), &m); err != nil || m["wsPort"] != want || m["version"] != "v1" || m["provider"] != "parrot" {
			t.Errorf("%q: got %v, %v", sent, m, err)
		}
	}
}
