package httpapi

import (
	"net/http"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/model"
)

func TestAConversationHasAModelOfItsOwn(t *testing.T) {
	r := newRig(t)
	r.Model.Models = []model.Entry{{ID: "glm/a", Default: true}, {ID: "kimi/b"}}
	answer := func(body string) string {
		t.Helper()
		return r.call(http.MethodPost, "/api/chat", body, 200)["message"].(string)
	}
	if got := answer(`{"sessionId":"s","message":"which model"}`); got != "it is " {
		t.Errorf("asked without a model: %q", got)
	}
	if row := r.call(http.MethodPatch, "/api/sessions/s", `{"model":"kimi/b"}`, 200); row["model"] != "kimi/b" || row["title"] != "which model" {
		t.Errorf("the row after the change: %v", row)
	}
	if got := answer(`{"sessionId":"s","message":"which model"}`); got != "it is kimi/b" {
		t.Errorf("after the change: %q", got)
	}
	r.call(http.MethodPatch, "/api/sessions/s", `{"title":"renamed"}`, 200)
	rows := r.call(http.MethodGet, "/api/sessions", "", 200)["sessions"].([]any)
	if row := rows[0].(map[string]any); row["model"] != "kimi/b" || row["title"] != "renamed" {
		t.Errorf("a new title changed the model, too: %v", row)
	}
	if got := answer(`{"sessionId":"s","message":"which model","model":"glm/a"}`); got != "it is glm/a" {
		t.Errorf("a message that names a model: %q", got)
	}
	if got := answer(`{"sessionId":"s","message":"which model"}`); got != "it is glm/a" {
		t.Errorf("the message behind it: %q", got)
	}
	if row := r.call(http.MethodPatch, "/api/sessions/s", `{"model":""}`, 200); row["model"] != nil {
		t.Errorf("back to the default: %v", row)
	}
	if got := answer(`{"sessionId":"s","message":"which model"}`); got != "it is " {
		t.Errorf("with the default again: %q", got)
	}
	for target, body := range map[string]string{
		"PATCH /api/sessions/s":     `{"model":"kimi/other"}`,
		"POST /api/sessions/s/runs": `{"message":"hello","model":"kimi"}`,
		"POST /api/chat":            `{"message":"hello","model":"b"}`,
		"PATCH /api/sessions/s ":    `{"model":7}`,
	} {
		method, path, _ := strings.Cut(strings.TrimSpace(target), " ")
		if f := r.call(method, path, body, 400); f["code"] != "invalid_request" {
			t.Errorf("%s %s: %v", target, body, f)
		}
	}
}
