package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
)

// question is one thing that is asked of the deployment.
type question struct {
	name   string
	want   string   // of the answer, in a few words
	after  []string // questions whose answers it needs
	longer time.Duration
	always bool // also when the time is over
	ask    func(context.Context, *visit) error
}

// The questions that others need.
const (
	reached      = "the gateway is healthy"
	signedIn     = "signing in"
	awake        = "the agent answers"
	writes       = "a blank message, from one who may chat"
	chatJSON     = "a chat over JSON"
	remembersTLS = "https is remembered (HSTS)"
	byTool       = "a tool call, followed by cursor"
)

// waking is how long a container may take to start, beside the answer itself.
const waking = 75 * time.Second

// foreign is an origin that no deployment lists: the name cannot exist.
const foreign = "https://smoke.invalid"

// strangers are what must be so for those without a credential.
func strangers(secure bool) []client.Expectation {
	data := map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		"Content-Security-Policy": "default-src 'none'", "Vary": "Origin",
	}
	page := map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache",
		"Permissions-Policy": "camera=()", "Cross-Origin-Opener-Policy": "same-origin",
		"Content-Security-Policy": "frame-ancestors 'none'",
	}
	unlisted := []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Methods"}
	all := append(client.Open[1:len(client.Open):len(client.Open)],
		client.Expectation{Name: "the gateway is ready", Path: "/ready", Status: http.StatusOK, Fields: map[string]string{"status": "ready"}},
		client.Expectation{Name: "the page's security headers", Path: "/", Status: http.StatusOK, Has: page},
		client.Expectation{Name: "the API's security headers", Path: "/health", Status: http.StatusOK, Has: data},
		client.Expectation{Name: "an unknown path", Path: "/smoke/no/such/path", Status: http.StatusNotFound, Code: "not_found", Fields: map[string]string{"hint": "", "requestId": ""}},
		client.Expectation{Name: "an unknown method", Method: http.MethodPut, Path: "/health", Status: http.StatusMethodNotAllowed, Code: "method_not_allowed"},
		client.Expectation{
			Name: "a wrong token", Path: "/api/sessions", Headers: []client.Header{{Name: "Authorization", Value: "Bearer " + client.WrongToken}},
			Status: http.StatusUnauthorized, Code: "unauthorized",
		},
		client.Expectation{
			Name: "a foreign page's preflight (CORS)", Method: http.MethodOptions, Path: "/api/chat", Status: http.StatusNoContent, Lacks: unlisted,
			Headers: []client.Header{{Name: "Origin", Value: foreign}, {Name: "Access-Control-Request-Method", Value: http.MethodPost}},
		},
		client.Expectation{
			Name: "a foreign page's request (CORS)", Path: "/health", Status: http.StatusOK, Lacks: unlisted,
			Headers: []client.Header{{Name: "Origin", Value: foreign}},
		},
	)
	if secure {
		all = append(all, client.Expectation{Name: remembersTLS, Path: "/health", Status: http.StatusOK, Has: map[string]string{"Strict-Transport-Security": "max-age="}})
	}
	return all
}

// members are what must be so for the user, and needs one request.
func members() []client.Expectation {
	return []client.Expectation{
		{Name: "/v1: the models", Path: "/v1/models/", Status: http.StatusOK, Fields: map[string]string{"object": "list"}, Holds: `"id":"loongclaw"`},
		{Name: "/v1: the model by name", Path: "/v1/models/loongclaw", Status: http.StatusOK, Fields: map[string]string{"object": "model", "id": "loongclaw"}},
		{Name: "/v1: another model, with an error object", Path: "/v1/models/no-such-model", Status: http.StatusNotFound, Holds: `"type":"invalid_request_error"`},
	}
}

// table makes a question of one request.
func table(e client.Expectation, who func(*visit) *client.Client, after ...string) question {
	return question{name: e.Name, want: e.Brief(), after: after, ask: func(ctx context.Context, v *visit) error { return e.Ask(ctx, who(v)) }}
}

// questions are all of them, in the order in which they are asked.
func questions(v *visit) []question {
	all := []question{{name: reached, want: "200, ok, a version", ask: health}}
	for _, e := range strangers(strings.HasPrefix(v.base, "https:") && !isLoopback(hostOf(v.base))) {
		q := table(e, func(v *visit) *client.Client { return v.nobody }, reached)
		if e.Name == remembersTLS {
			q.ask = throughProxy(q.ask)
		}
		all = append(all, q)
	}
	all = append(all,
		question{name: signedIn, want: "200, a ticket; a session that counts, too", after: []string{reached}, ask: signIn},
		question{name: "a foreign page's socket", want: "403 origin_refused", after: []string{signedIn}, ask: foreignSocket},
		question{name: awake, want: "200, after a start that a socket is told of", after: []string{signedIn}, longer: waking, ask: agentAnswers},
		question{name: "strangers woke no container", want: "that start was for the user", after: []string{awake}, ask: nothingWoken},
		question{name: writes, want: "400 missing_message", after: []string{awake}, ask: mayChat},
		question{name: "the limits' headers", want: "RateLimit-Limit, -Remaining, -Reset", after: []string{awake}, ask: limits},
	)
	for _, e := range members() {
		all = append(all, table(e, func(v *visit) *client.Client { return v.user }, awake))
	}
	all = append(all,
		question{name: chatJSON, want: "200, an answer that says how it ended", after: []string{writes}, ask: chatOverJSON},
		question{name: "a chat over SSE", want: "chunks that make up the message, run_finished done", after: []string{writes}, ask: chatOverSSE},
		question{name: "a chat over WebSocket", want: "the same, after ping and pong", after: []string{writes}, ask: chatOverSocket},
		question{name: byTool, want: "tool_call, tool_result ok, done, over cut streams", after: []string{writes}, longer: 2 * v.patience, ask: func(ctx context.Context, v *visit) error { return v.talk.AskForTool(ctx) }},
		question{name: "a replay after a cursor", want: "what was seen live", after: []string{byTool}, ask: replay},
		question{name: "an approval, denied", want: "approval_required, denied, done; decided once", after: []string{writes}, longer: v.patience, ask: deny},
		question{name: "a cancel", want: "run_finished cancelled", after: []string{writes}, longer: v.patience, ask: cancelRun},
		question{name: "the history", want: "the words of the chat over JSON", after: []string{chatJSON}, ask: history},
		question{name: "the list of sessions", want: "the session, found by its words", after: []string{chatJSON}, ask: list},
		question{name: "an idempotency key", want: "202 and the same run; 422 for another body", after: []string{writes}, ask: idempotency},
		question{name: "memory: save, find, forget", want: "201, found, gone", after: []string{writes}, ask: memory},
		question{name: "a file: put, get, delete", want: "200, the same bytes, 404 afterwards", after: []string{writes}, ask: file},
		question{name: "/v1: a chat", want: "chat.completion with content and finish_reason", after: []string{writes}, ask: completion},
		question{name: "/v1: a chat as a stream", want: "chunks, finish_reason, [DONE]", after: []string{writes}, ask: completionStream},
	)
	if v.sleep > 0 {
		all = append(all, question{name: "sleep and wake", want: "a start, and the same history", after: []string{chatJSON}, longer: v.sleep + waking, ask: sleepAndWake})
	}
	return append(all, question{name: "nothing of this is left", want: "sessions, memory and files of this are gone", after: []string{writes}, always: true, ask: tidy})
}
