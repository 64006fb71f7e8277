package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

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
