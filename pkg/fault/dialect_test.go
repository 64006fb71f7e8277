package fault

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestDialectOf(t *testing.T) {
	for target, want := range map[string]Dialect{
		"/v1": OpenAI, "/v1/": OpenAI, "/v1/chat/completions": OpenAI, "/v1/no/such/path": OpenAI, "/v1?x=1": OpenAI, "/v1/models?x=/api": OpenAI,
		"": Own, "/": Own, "/v1x": Own, "/v10/models": Own, "/api/v1/models": Own, "/api/chat?x=/v1/": Own, "v1/models": Own, "/V1/models": Own, "*": Own,
	} {
		if got := DialectOf(target); got != want {
			t.Errorf("%q: got %v, want %v", target, got, want)
		}
	}
}

// types is the contract's table, written a second time.
var types = map[int]string{
	400: "invalid_request_error", 404: "invalid_request_error", 405: "invalid_request_error", 413: "invalid_request_error",
	422: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 429: "rate_limit_error",
}

// What OpenAI's clients read is there for each code, and nothing that is not
// theirs to see.
func TestOpenAIFormOfEachCode(t *testing.T) {
	for _, code := range Codes() {
		e := Wrap(errors.New("hunter2"), code, "it <broke>", "mend it").With("req_1")
		var got map[string]map[string]any
		if err := json.Unmarshal(e.JSON(OpenAI), &got); err != nil {
			t.Fatalf("%s: %v", code, err)
		}
		want := types[e.Status()]
		if want == "" {
			want = "server_error"
		}
		fields := map[string]map[string]any{"error": {
			"message": "it <broke>", "type": want, "param": nil, "code": string(code), "hint": "mend it", "requestId": "req_1",
		}}
		if !reflect.DeepEqual(got, fields) {
			t.Errorf("%s: got %v, want %v", code, got, fields)
		}
	}
}

func TestOpenAIFormNamesTheField(t *testing.T) {
	e := New(CodeUnsupported, "n other than 1 is not served here", "ask once for each answer").About("n")
	if got := string(e.JSON(OpenAI)); !strings.Contains(got, `"param":"n"`) {
		t.Errorf("got %s, want the field", got)
	}
	if got := string(e.JSON(Own)); strings.Contains(got, "param") {
		t.Errorf("got %s: our own form has no such field", got)
	}
}

// An agent answers in the dialect of the path; the gateway must understand both,
// or it would not see that a request was not taken.
func TestBothDialectsCrossTheWire(t *testing.T) {
	sent := New(CodeDraining, "the agent is stopping", "ask another one").With("req_1").After(2 * time.Second).About("n")
	for _, d := range []Dialect{Own, OpenAI} {
		got := FromResponse(sent.Status(), sent.JSON(d))
		want := *sent
		if d == Own {
			want.Param = ""
		} else {
			want.RetryAfter = 0 // these clients read the header
		}
		if *got != want {
			t.Errorf("dialect %v: got %+v, want %+v", d, *got, want)
		}
	}
	for _, body := range []string{`{"error":{}}`, `{"error":{"message":"a provider's own"}}`, `{"error":[{"code":"x"}]}`, `{"error":{"code":7}}`} {
		if got := FromResponse(503, []byte(body)); got.Code != CodeUnavailable || got.Message == "" {
			t.Errorf("%s: got %+v, want the status's own code", body, got)
		}
	}
}
