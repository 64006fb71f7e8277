package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/sse"
)

// listen reads a stream for a second, in which something may be done meanwhile.
func (r *rig) listen(target, last string, meanwhile func()) *wire {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	w := newWire()
	ended := make(chan struct{})
	q := r.request(http.MethodGet, target, "").WithContext(ctx)
	q.Header.Set(chat.HeaderLastEventID, last)
	go func() { defer close(ended); r.ServeHTTP(w, q) }()
	synctest.Wait()
	meanwhile()
	time.Sleep(time.Second)
	synctest.Wait()
	cancel()
	<-ended
	return w
}

// listEvents reads the events of a list, and the last id among them.
func listEvents(t *testing.T, text string) (all []chat.ListEvent, last string) {
	t.Helper()
	r := sse.NewReader(strings.NewReader(text), 1<<20)
	for {
		e, err := r.Next()
		if err != nil {
			return all, r.Place()
		}
		var got chat.ListEvent
		if err := json.Unmarshal(e.Data, &got); err != nil {
			t.Fatalf("%s: %v", e.Data, err)
		}
		if e.Type != got.Type {
			t.Errorf("event: says %s, the JSON %s", e.Type, got.Type)
		}
		all = append(all, got)
	}
}

func TestTheStreamOfAList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		say := func(session string) func() {
			return func() {
				r.call(http.MethodPost, chat.PathChat, `{"message":"hi","sessionId":"`+session+`"}`, 200)
			}
		}
		say("old")()
		events, cursor := listEvents(t, r.listen(chat.PathList, "", say("new")).text.String())
		if len(events) == 0 {
			t.Fatal("it tells nothing")
		}
		if _, begin := listEvents(t, r.listen(chat.PathList, "", func() {}).text.String()); begin == "" {
			t.Error("a stream that tells nothing does not say where it stands")
		}
		last := events[len(events)-1]
		if last.Type != chat.TypeSessionChanged || last.Session == nil || last.Session.ID != "new" || last.Session.State != chat.StateIdle || last.Session.Messages != 2 {
			t.Errorf("it ends with %+v", last)
		}
		// Gone, and back.
		say("missed")()
		for name, w := range map[string]*wire{
			"Last-Event-ID": r.listen(chat.PathList, cursor, func() {}),
			"after":         r.listen(chat.PathList+"?after="+cursor, "", func() {}),
		} {
			events, _ := listEvents(t, w.text.String())
			if len(events) != 1 || events[0].SessionID != "missed" {
				t.Errorf("back with %s it hears %+v, want what was missed alone", name, events)
			}
		}
		list := r.conditional(chat.PathSessions, "").Header().Get(chat.HeaderListCursor)
		if events, _ := listEvents(t, r.listen(chat.PathList+"?after="+list, "", func() {}).text.String()); len(events) != 0 {
			t.Errorf("after the list's own cursor: %+v", events)
		}
		idle := r.listen(chat.PathList+"?until=idle", "", func() {}).text.String()
		if !strings.HasSuffix(idle, string(sse.Idle)) {
			t.Errorf("while nothing runs it ends with %q, want that it is idle", idle)
		}
		refused(t, "a foreign cursor", r.do(r.request(http.MethodGet, chat.PathList+"?after=x", "")), 400, fault.CodeInvalidCursor)
		refused(t, "until later", r.do(r.request(http.MethodGet, chat.PathList+"?until=later", "")), 400, fault.CodeInvalidRequest)
	})
}

// An idle stream says that it is there; it does not end for what waits for the user,
// and is no reason to keep the process.
func TestTheStreamOfAListRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		ctx, cancel := context.WithCancel(t.Context())
		w := newWire()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			r.ServeHTTP(w, r.request(http.MethodGet, chat.PathList, "").WithContext(ctx))
		}()
		time.Sleep(46 * time.Second)
		synctest.Wait()
		if got := strings.Count(w.text.String(), string(sse.Comment)); got != 4 {
			t.Errorf("%d comments in 46 s, want one at once and one every 15 s", got)
		}
		if n := r.Activity.Active(); n != 0 {
			t.Errorf("%d count as active", n)
		}
		cancel()
		<-ended
	})
}

// ask asks for the list as a client that may have it.
func (r *rig) conditional(target, tag string) *httptest.ResponseRecorder {
	q := r.request(http.MethodGet, target, "")
	if tag != "" {
		q.Header.Set("If-None-Match", tag)
	}
	return r.do(q)
}

func TestAListThatIsTheSameIsNotSentAgain(t *testing.T) {
	r := newRigThatRests(t, time.Hour)
	r.call(http.MethodPost, chat.PathChat, `{"message":"hi","sessionId":"s"}`, 200)
	for _, target := range []string{chat.PathSessions, chat.PathSessions + "?limit=1", chat.PathApprovals} {
		w := r.conditional(target, "")
		tag := w.Header().Get("ETag")
		if w.Code != 200 || !strings.HasPrefix(tag, `W/"`) {
			t.Fatalf("%s: %d with the tag %q", target, w.Code, tag)
		}
		for _, known := range []string{tag, "*", `"other", ` + tag, strings.TrimPrefix(tag, "W/")} {
			if w := r.conditional(target, known); w.Code != http.StatusNotModified || w.Body.Len() != 0 || w.Header().Get("ETag") != tag {
				t.Errorf("%s with %s: %d %q", target, known, w.Code, w.Body)
			}
		}
		q := r.request(http.MethodGet, target, "")
		q.Header["If-None-Match"] = []string{`"other"`, tag}
		if w := r.do(q); w.Code != http.StatusNotModified {
			t.Errorf("%s with the tag in a second line of the head: %d", target, w.Code)
		}
		if w := r.conditional(target, `"other"`); w.Code != 200 || w.Body.Len() == 0 {
			t.Errorf("%s with another tag: %d", target, w.Code)
		}
		r.call(http.MethodPost, chat.PathChat, `{"message":"more","sessionId":"`+fmt.Sprint("t", len(target))+`"}`, 200)
		if w := r.conditional(target, tag); target != chat.PathApprovals && w.Code != 200 {
			t.Errorf("%s has changed: %d", target, w.Code)
		}
	}
}

// A session may be called as the stream is: all but its row has its own path.
func TestASessionCalledStream(t *testing.T) {
	r := newRig(t)
	r.call(http.MethodPost, chat.PathChat, `{"message":"hi","sessionId":"stream"}`, 200)
	if row := r.call(http.MethodPatch, "/api/sessions/stream", `{"title":"mine"}`, 200); row["title"] != "mine" {
		t.Errorf("renamed: %v", row)
	}
	if texts, _ := r.jsonPage("/api/sessions/stream/events?tail=1", 200); texts != "hi" {
		t.Errorf("its events: %q", texts)
	}
	r.call(http.MethodDelete, "/api/sessions/stream", "", 200)
}

func TestRowsHaveTheirState(t *testing.T) {
	r := newRig(t)
	r.call(http.MethodPost, chat.PathChat, `{"message":"hi","sessionId":"s"}`, 200)
	r.do(r.request(http.MethodPost, chat.PathChat, `{"message":"fail","sessionId":"f"}`))
	want := map[string]string{"s": "idle", "f": "failed"}
	for _, row := range r.call(http.MethodGet, chat.PathSessions, "", 200)["sessions"].([]any) {
		m := row.(map[string]any)
		if id := m["id"].(string); m["state"] != want[id] {
			t.Errorf("%s is %v, want %s", id, m["state"], want[id])
		}
	}
	if row := r.call(http.MethodGet, "/api/sessions/f", "", 200); row["state"] != "failed" {
		t.Errorf("its own row: %v", row)
	}
}

// Nobody wakes a reader when another agent has written to the store: it looks by itself.
func TestTheStreamOfAListTellsWhatOtherAgentsDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, err := disk.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = store.Close() }()
		r, other := newRigOn(t, store, parrot{}, time.Second), newRigOn(t, store, parrot{}, time.Second)
		defer r.stop()
		defer other.stop()
		events, _ := listEvents(t, r.listen(chat.PathList, "", func() {
			other.call(http.MethodPost, chat.PathChat, `{"message":"hi","sessionId":"theirs"}`, 200)
			time.Sleep(20 * time.Second)
		}).text.String())
		if len(events) == 0 || events[0].SessionID != "theirs" {
			t.Errorf("in 20 s it tells %+v, want their session", events)
		}
	})
}

// An agent that stops ends its streams at once, and without an error: the reader comes
// back with its cursor.
func TestTheStreamOfAListEndsWithItsAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		w := newWire()
		began := time.Now()
		ended := make(chan time.Duration)
		go func() {
			r.ServeHTTP(w, r.request(http.MethodGet, chat.PathList, ""))
			ended <- time.Since(began)
		}()
		synctest.Wait()
		r.stop()
		if took := <-ended; took > time.Second {
			t.Errorf("it ends after %s", took)
		}
		if text := w.text.String(); strings.Contains(text, chat.TypeError) {
			t.Errorf("it ends with an error: %q", text)
		}
	})
}

// A list stands in the order in which its conversations were used: to name one, or
// to look at another branch of it, is no use of it.
func TestANameOrALookMovesNoRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		order := func() (ids string, updated any) {
			for _, row := range r.call(http.MethodGet, chat.PathSessions, "", 200)["sessions"].([]any) {
				m := row.(map[string]any)
				ids += m["id"].(string)
				if m["id"] == "a" {
					updated = m["updatedAt"]
				}
			}
			return ids, updated
		}
		first := r.call(http.MethodPost, chat.PathChat, `{"message":"hi","sessionId":"a"}`, 200)
		for _, id := range []string{"a", "b"} {
			time.Sleep(time.Minute)
			r.call(http.MethodPost, chat.PathChat, `{"message":"more","sessionId":"`+id+`"}`, 200)
		}
		before, used := order()
		time.Sleep(time.Minute)
		row := r.call(http.MethodPatch, "/api/sessions/a", `{"title":"another name"}`, 200)
		if row["title"] != "another name" || row["updatedAt"] != used {
			t.Errorf("renamed: %v, want it used at %v", row, used)
		}
		r.call(http.MethodPatch, "/api/sessions/a", fmt.Sprintf(`{"head":%q}`, first["messageId"]), 200)
		if after, at := order(); before != "ba" || after != before || at != used {
			t.Errorf("the list was %s, and is %s; a was used at %v, and now %v", before, after, used, at)
		}
		time.Sleep(time.Minute)
		r.call(http.MethodPost, chat.PathChat, `{"message":"more","sessionId":"a"}`, 200)
		if after, _ := order(); after != "ab" {
			t.Errorf("after a message the list is %s", after)
		}
	})
}
