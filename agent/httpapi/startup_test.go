package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/egress"
	"github.com/loongclaw/loongclaw/agent/httpapi"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func TestAnAgentThatStartsSaysSo(t *testing.T) {
	q := httptest.NewRequest(http.MethodPost, "/api/chat", http.NoBody)
	q.Header.Set(chat.HeaderRequestID, "the-request")
	w := httptest.NewRecorder()
	new(httpapi.Startup).ServeHTTP(w, q)
	var f fault.Error
	if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil {
		t.Fatal(err)
	}
	if w.Code != 503 || w.Header().Get("Retry-After") != "1" || f.Code != fault.CodeUnavailable || f.Hint == "" || f.RequestID != "the-request" {
		t.Errorf("got %d, Retry-After %q and %s; want 503, 1 and an error with its code, hint and request id", w.Code, w.Header().Get("Retry-After"), w.Body)
	}
}

// The tokens of a start come before there is a server, once; a refusal is an error
// like any other.
func TestAnAgentThatStartsTakesItsTokens(t *testing.T) {
	s := &httpapi.Startup{Egress: egress.Expect("http://r2.internal")}
	bring := func() *httptest.ResponseRecorder {
		q := httptest.NewRequest(http.MethodPost, egress.Path, strings.NewReader(`{"token":"first-token-0123456789"}`))
		q.Header.Set(chat.HeaderRequestID, "the-request")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, q)
		return w
	}
	if w := bring(); w.Code != http.StatusNoContent || w.Body.Len() > 0 {
		t.Errorf("got %d %s, want 204 and nothing", w.Code, w.Body)
	}
	w := bring()
	var f fault.Error
	if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil || w.Code != 409 || f.Code != fault.CodeConflict || f.RequestID != "the-request" || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("a second time: got %d %s %v, want 409 and an error with its code and request id", w.Code, w.Body, err)
	}
}
