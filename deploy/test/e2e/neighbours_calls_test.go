package e2e

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
)

// operations are what a user can do, by endpoint.
func (s *street) operations() map[string]func(*neighbour) {
	of := func(tail string) string { return client.SessionPath(s.session(), tail) }
	asJSON := client.Header{Name: "Accept", Value: "application/json"}
	ops := map[string]func(*neighbour){
		"POST /api/chat": func(n *neighbour) {
			s.call(n, "POST", "/api/chat", map[string]any{"message": n.text(), "sessionId": s.session()}, client.Header{Name: "Idempotency-Key", Value: fmt.Sprint("key", n.n)})
		},
		"POST /v1/chat/completions": func(n *neighbour) {
			// Both have had the same conversation: it is known by what was said in it.
			said := []map[string]string{{"role": "user", "content": "the same words"}}
			if a := s.call(n, "POST", "/v1/chat/completions", map[string]any{"messages": said}); a.Status == 200 {
				said = append(said, map[string]string{"role": "assistant", "content": contentIn(a.Body)}, map[string]string{"role": "user", "content": n.text()})
				s.call(n, "POST", "/v1/chat/completions", map[string]any{"messages": said})
			}
		},
		"POST /api/sessions/:session/runs": func(n *neighbour) {
			if id := s.foreign(n, "message"); id != "" {
				s.shut("parentId", s.call(n, "POST", of("/runs"), map[string]any{"message": n.text(), "parentId": id}))
			}
			s.call(n, "POST", of("/runs"), map[string]any{"message": n.text()})
		},
		"POST /api/sessions/:session/cancel": func(n *neighbour) {
			if id := s.foreign(n, "run"); id != "" {
				s.shut("cancel", s.call(n, "POST", of("/cancel"), map[string]any{"runId": id}))
			}
			s.call(n, "POST", of("/cancel"), nil)
		},
		"POST /api/sessions/:session/regenerate": func(n *neighbour) {
			if id := s.foreign(n, "message"); id != "" {
				s.shut("regenerate", s.call(n, "POST", of("/regenerate"), map[string]any{"messageId": id}))
			}
			s.call(n, "POST", of("/regenerate"), nil)
		},
		"POST /api/approvals/:id": s.approve,
		"PATCH /api/sessions/:session": func(n *neighbour) {
			if id := s.foreign(n, "message"); id != "" {
				s.shut("head", s.call(n, "PATCH", of(""), map[string]any{"head": id}))
			}
			s.call(n, "PATCH", of(""), map[string]any{"title": n.text()})
		},
		"DELETE /api/sessions/:session": func(n *neighbour) { s.call(n, "DELETE", of(""), nil) },
		"DELETE /api/history":           func(n *neighbour) { s.call(n, "DELETE", "/api/history", nil) },
		"DELETE /api/history/:session": func(n *neighbour) {
			s.call(n, "DELETE", "/api/history/"+rapid.SampledFrom([]string{"all", "same"}).Draw(s.t, "session"), nil)
		},
		"POST /api/memory": func(n *neighbour) {
			s.call(n, "POST", "/api/memory", map[string]any{"content": n.text(), "tags": []string{"same"}})
		},
		"DELETE /api/memory/:id": func(n *neighbour) {
			for _, id := range []string{s.foreign(n, "memory"), s.mine(n, "memory")} {
				if id != "" {
					s.call(n, "DELETE", "/api/memory/"+id, nil)
				}
			}
		},
		"POST /api/memory/import": func(n *neighbour) { s.call(n, "POST", "/api/memory/import", memoryTar(n.text())) },
		"PUT /api/files/*": func(n *neighbour) {
			name := s.file()
			if a := s.call(n, "PUT", "/api/files/"+escaped(name), n.text()); a.Status == 200 {
				n.files[name] = n.text()
			}
		},
		"DELETE /api/files/*": func(n *neighbour) {
			name := s.file()
			if a := s.call(n, "DELETE", "/api/files/"+escaped(name), nil); a.Status == 200 {
				delete(n.files, name)
			}
		},
		"GET /api/files/*":          func(n *neighbour) { s.call(n, "GET", "/api/files/"+escaped(s.file()), nil) },
		"GET /api/history/:session": func(n *neighbour) { s.call(n, "GET", "/api/history/"+url.PathEscape(s.session())+"?tree=1", nil) },
		"GET /api/sessions/:session": func(n *neighbour) {
			s.call(n, "GET", of(""), nil)
		},
		"GET /api/sessions/:session/events": func(n *neighbour) {
			s.call(n, "GET", of("/events"), nil, asJSON)
			for _, c := range []string{s.foreign(n, "cursor"), s.mine(n, "cursor")} {
				s.call(n, "GET", of("/events?after="+c), nil, asJSON)
			}
		},
	}
	for path, queries := range map[string][]string{
		"/api/history": {"", "?tree=1"}, "/api/sessions": {"", "?q=honey", "?q=MARK"}, "/api/memory/search": {"?keyword=honey", "?keyword=MARK", "?tags=same"},
		"/api/memory/export": {"", "?format=markdown"}, "/api/files": {""}, "/api/stats": {""}, "/api/config": {""}, "/api/tools": {""}, "/api/models": {""}, "/v1/models": {""},
		"/api/approvals": {""}, "/api/usage": {""}, "/api/ledger": {"", "?limit=500"},
	} {
		ops["GET "+path] = func(n *neighbour) {
			for _, q := range queries {
				s.call(n, "GET", path+q, nil)
			}
		}
	}
	// What a message of one brought along is not the other's, who knows its hash.
	ops["GET /api/sessions/:session/attached/:hash"] = func(n *neighbour) {
		name, session := s.file(), s.session()
		if a := s.call(n, "PUT", "/api/files/"+escaped(name), n.text()); a.Status != 200 {
			return
		}
		n.files[name] = n.text()
		hash := fmt.Sprintf("%x", sha256.Sum256([]byte(n.text())))
		path := client.SessionPath(session, "/attached/"+hash)
		sent := s.call(n, "POST", client.SessionPath(session, "/runs"), map[string]any{"message": n.text(), "attachments": []map[string]string{{"path": name}}})
		if a := s.call(n, "GET", path, nil); sent.Status < 300 && (a.Status != 200 || string(a.Body) != n.text()) {
			s.t.Errorf("%s: what its message brought along is %v, want %q", n.mark, a, n.text())
		}
		s.shut("attached", s.call(n.other, "GET", path, nil))
	}
	// Each sets up a server of tools under the same name, with a secret in its headers.
	ops["GET /api/mcp"] = func(n *neighbour) { s.call(n, "GET", "/api/mcp", nil) }
	ops["PUT /api/mcp/:name"] = func(n *neighbour) {
		s.call(n, "PUT", "/api/mcp/same", map[string]any{"url": "https://mcp.invalid/" + n.mark, "headers": map[string]string{"X-Key": n.text()}})
	}
	ops["POST /api/mcp/:name/approve"] = func(n *neighbour) {
		s.call(n, "POST", "/api/mcp/same/approve", map[string]any{"hash": strings.Repeat("0", 64)})
	}
	ops["GET /api/mcp/:name/authorize"] = func(n *neighbour) { s.call(n, "GET", "/api/mcp/same/authorize", nil) }
	ops["GET /api/mcp/callback"] = func(n *neighbour) { s.call(n, "GET", "/api/mcp/callback?state="+n.mark+"&code=x", nil) }
	ops["GET /api/skills"] = func(n *neighbour) { s.call(n, "GET", "/api/skills", nil) }
	ops["POST /api/skills/:name/approve"] = func(n *neighbour) {
		s.call(n, "POST", "/api/skills/same/approve", map[string]any{"hash": strings.Repeat("0", 64)})
	}
	ops["POST /mcp"] = func(n *neighbour) {
		s.call(n, "POST", "/mcp", map[string]any{
			"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": map[string]any{"name": "sessions_list", "arguments": map[string]any{"query": n.mark}},
		}, client.Header{Name: "Accept", Value: "application/json, text/event-stream"})
	}
	ops["DELETE /api/mcp/:name"] = func(n *neighbour) { s.call(n, "DELETE", "/api/mcp/same", nil) }
	// What has changed since the list was read; a cursor of the other's list opens
	// nothing.
	ops["GET /api/sessions/stream"] = func(n *neighbour) {
		cursor := func(of *neighbour) string { return s.call(of, "GET", "/api/sessions", nil).Header.Get("X-List-Cursor") }
		s.shut("a list's cursor", s.call(n, "GET", "/api/sessions/stream?until=idle&after="+cursor(n.other), nil))
		from := cursor(n)
		s.call(n, "PATCH", of(""), map[string]any{"title": n.text()})
		s.call(n, "GET", "/api/sessions/stream?until=idle&after="+from, nil)
	}
	ops["GET /v1/models/*"] = func(n *neighbour) { s.call(n, "GET", "/v1/models/loongclaw", nil) }
	for kind, data := range map[string]func(n *neighbour) map[string]any{
		"chat": func(n *neighbour) map[string]any {
			return map[string]any{"message": n.text(), "sessionId": s.session()}
		},
		"get_history":   func(*neighbour) map[string]any { return map[string]any{"sessionId": s.session()} },
		"clear_history": func(*neighbour) map[string]any { return map[string]any{"sessionId": s.session()} },
		"cancel": func(n *neighbour) map[string]any {
			return map[string]any{"sessionId": s.session(), "runId": s.foreign(n, "run")}
		},
		"approve": func(n *neighbour) map[string]any {
			return map[string]any{"approvalId": s.foreign(n, "approval"), "decision": "once"}
		},
		"subscribe": func(n *neighbour) map[string]any {
			return map[string]any{"sessionId": s.session(), "after": s.mine(n, "cursor")}
		},
		"ping": func(*neighbour) map[string]any { return nil },
	} {
		ops["frame "+kind] = func(n *neighbour) {
			if err := n.ws.Send(kind, data(n)); err != nil {
				s.t.Fatalf("%s: the socket broke: %v", kind, err)
			}
		}
	}
	return ops
}

// approve brings a session of the one to a question, which the other one cannot
// answer.
func (s *street) approve(n *neighbour) {
	script := fakeprovider.Say(fresh("n"), fakeprovider.Round{Calls: []fakeprovider.Call{{ID: fresh("call"), Name: "write_file", Args: `{"path":"asked.txt","content":"` + n.text() + `"}`}}}, fakeprovider.Round{Chunks: 1})
	session := fresh("ask")
	var r run
	if a := s.call(n, "POST", client.SessionPath(session, "/runs"), map[string]any{"message": script.Message()}); a.JSON(&r) != nil || r.RunID == "" {
		s.t.Fatalf("no run: %v", a)
	}
	asked := ""
	for end := time.Now().Add(20 * time.Second); asked == ""; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatal("no question came")
		}
		asked = approvalIn(s.call(n, "GET", client.SessionPath(session, "/events"), nil, client.Header{Name: "Accept", Value: "application/json"}).Body)
	}
	n.learn("approval", asked)
	for _, decision := range []string{"once", "session", "remember_7d", "deny"} {
		s.shut("an approval", s.call(n.other, "POST", "/api/approvals/"+asked, map[string]any{"decision": decision}))
	}
	if a := s.call(n, "POST", "/api/approvals/"+asked, map[string]any{"decision": "deny"}); a.Status != 200 {
		s.t.Fatalf("the one who was asked cannot answer: %v", a)
	}
	s.call(n, "DELETE", client.SessionPath(session, ""), nil)
}

var approvalID = regexp.MustCompile(`"approvalId":"([^"]+)"`)

func approvalIn(page []byte) string {
	if m := approvalID.FindSubmatch(page); m != nil {
		return string(m[1])
	}
	return ""
}

// contentIn is the text of a chat completion.
func contentIn(completion []byte) string {
	var c struct {
		Choices []struct{ Message struct{ Content string } }
	}
	if json.Unmarshal(completion, &c) != nil || len(c.Choices) == 0 {
		return ""
	}
	return c.Choices[0].Message.Content
}

// memoryTar is the original's memory folder with one note.
func memoryTar(text string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	page := "# 2026-01-02\n\n## 10:00:00 - fact\n\n" + text + "\n"
	_ = w.WriteHeader(&tar.Header{Name: "memory/2026-01-02.md", Mode: 0o600, Size: int64(len(page))})
	_, _ = w.Write([]byte(page))
	_ = w.Close()
	return b.Bytes()
}
