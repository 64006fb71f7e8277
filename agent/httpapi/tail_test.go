package httpapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

const tailOf = "/api/sessions/s/events?tail="

// tailed has three turns said, and asks for a page of them.
func tailed(t *testing.T) *rig {
	t.Helper()
	r := newRig(t)
	for _, text := range []string{"one", "two", "three"} {
		r.call(http.MethodPost, chat.PathChat, `{"message":"`+text+`","sessionId":"s"}`, 200)
	}
	return r
}

// jsonPage asks for a page of events.
func (r *rig) jsonPage(target string, status int) (texts string, page map[string]any) {
	r.t.Helper()
	q := r.request(http.MethodGet, target, "")
	q.Header.Set("Accept", "application/json")
	w := r.do(q)
	if w.Code != status {
		r.t.Fatalf("%s: %d %s, want %d", target, w.Code, w.Body, status)
	}
	page = decode(r.t, w.Body.Bytes())
	events, _ := page["events"].([]any)
	var said []string
	for _, e := range events {
		if m := e.(map[string]any); m["type"] == chat.TypeMessage {
			said = append(said, m["content"].(string))
		}
	}
	return strings.Join(said, " "), page
}

func TestPagesOfTurns(t *testing.T) {
	r := tailed(t)
	for tail, want := range map[string]string{"0": "", "1": "three", "2": "two three", "3": "one two three", "99999999999999999999999999": "one two three"} {
		texts, page := r.jsonPage(tailOf+tail, 200)
		if texts != want {
			t.Errorf("tail=%s gives %q, want %q", tail, texts, want)
		}
		if page["events"] == nil || page["next"] == "" || page["next"] == nil {
			t.Errorf("tail=%s: %v", tail, page)
		}
		if _, more := page["before"].(string); more != !strings.HasPrefix(want, "one") {
			t.Errorf("tail=%s: before is %v", tail, page["before"])
		}
	}
	_, page := r.jsonPage(tailOf+"1", 200)
	texts, page := r.jsonPage(tailOf+"1&before="+page["before"].(string), 200)
	if texts != "two" {
		t.Errorf("before it stands %q, want two", texts)
	}
	if texts, _ := r.jsonPage("/api/sessions/s/events?after="+page["next"].(string), 200); texts != "three" {
		t.Errorf("after that page's next: %q, want three: all that follows it", texts)
	}
	// With a cursor a tail says nothing.
	if texts, _ := r.jsonPage(tailOf+"1&after="+page["before"].(string), 200); texts != "three" {
		t.Errorf("after a cursor: %q", texts)
	}
}

func TestTailsThatCannotBe(t *testing.T) {
	r := tailed(t)
	_, page := r.jsonPage(tailOf+"1", 200)
	before := url.QueryEscape(page["before"].(string))
	for target, code := range map[string]fault.Code{
		tailOf: fault.CodeInvalidRequest, tailOf + "x": fault.CodeInvalidRequest, tailOf + "-1": fault.CodeInvalidRequest, tailOf + "1.5": fault.CodeInvalidRequest,
		tailOf + "-99999999999999999999999999":                           fault.CodeInvalidRequest,
		"/api/sessions/s/events?before=" + before:                        fault.CodeInvalidRequest,
		tailOf + "1&before=" + before + "&after=" + before:               fault.CodeInvalidRequest,
		tailOf + "1&before=x":                                            fault.CodeInvalidCursor,
		"/api/sessions/other/events?tail=1":                              fault.CodeNotFound,
		tailOf + "1&before=" + chat.Cursor{Epoch: 1, Seq: 1}.Encode("t"): fault.CodeInvalidCursor,
	} {
		q := r.request(http.MethodGet, target, "")
		q.Header.Set("Accept", "application/json")
		status := http.StatusBadRequest
		if code == fault.CodeNotFound {
			status = http.StatusNotFound
		}
		refused(t, target, r.do(q), status, code)
	}
	// Earlier turns are a page, and no stream.
	refused(t, "a stream of earlier turns", r.do(r.request(http.MethodGet, tailOf+"1&before="+before, "")), http.StatusBadRequest, fault.CodeInvalidRequest)
}

// A reader that was told nothing yet must be able to come back where it began.
func TestAStreamWithATailSaysWhereItBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := tailed(t)
		none := r.listen(tailOf+"0", "", func() {})
		if got := kinds(none.events(t)); got != "" {
			t.Errorf("tail=0 tells %s", got)
		}
		_, at, ok := strings.Cut(none.text.String(), "\nid: ")
		at, _, _ = strings.Cut(at, "\n")
		if !ok || at == "" {
			t.Fatalf("it does not say where it stands: %q", none.text.String())
		}
		r.call(http.MethodPost, chat.PathChat, `{"message":"four","sessionId":"s"}`, 200)
		if got := kinds(r.listen(tailOf+"0", at, func() {}).events(t)); got != oneRun {
			t.Errorf("back at the same address: %s, want %s", got, oneRun)
		}
		live := r.listen(tailOf+"1", "", func() {
			r.call(http.MethodPost, chat.PathChat, `{"message":"five","sessionId":"s"}`, 200)
		})
		if got := kinds(live.events(t)); got != oneRun+" "+oneRun {
			t.Errorf("the last turn, then live: %s", got)
		}
	})
}

func decode(t *testing.T, b []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatalf("%q: %v", b, err)
	}
	return m
}
