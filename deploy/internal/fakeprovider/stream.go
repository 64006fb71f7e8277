package fakeprovider

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ServeHTTP answers chat completions; any other path is 404.
func (s *Server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodPost || !strings.HasSuffix(req.URL.Path, "/chat/completions") {
		http.Error(w, `{"error":{"message":"no such path"}}`, http.StatusNotFound)
		return
	}
	var b body
	if err := json.NewDecoder(req.Body).Decode(&b); err != nil {
		http.Error(w, `{"error":{"message":"bad JSON"}}`, http.StatusBadRequest)
		return
	}
	r, script := s.record(b, req.Header)
	s.update(r, func(r *Request) { r.Size = req.ContentLength })
	if r.Refused != "" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": r.Refused, "type": "invalid_request_error", "param": "messages", "code": nil}})
		s.update(r, func(r *Request) { r.Finished = true })
		return
	}
	round := Round{Text: []string{"?"}}
	if r.Round >= 0 {
		round = script.Rounds[r.Round]
	}
	defer s.update(r, func(r *Request) { r.Cancelled = r.Cancelled || !r.Finished && req.Context().Err() != nil })
	if round.Status != 0 && (round.Times == 0 || r.Attempt <= round.Times) {
		refuse(w, req, round)
		s.update(r, func(r *Request) { r.Finished = true })
		return
	}
	if !b.Stream {
		answerWhole(w, script, r)
		s.update(r, func(r *Request) { r.Finished = true })
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	a := &answer{s: s, w: w, req: req, r: r, round: round}
	if a.pieces(script.pieces(r.Round, r.Attempt)) && a.end() {
		s.update(r, func(r *Request) { r.Finished = true })
	} else {
		s.update(r, func(r *Request) { r.Cancelled = req.Context().Err() != nil })
	}
}

// detail is what a failure says that no user should see.
func detail(req *http.Request, round Round) string {
	text := "org-SECRET-UPSTREAM-DETAIL"
	if round.Echo {
		text += fmt.Sprintf(" %v %s", req.Header, req.Header.Get("Authorization"))
	}
	return text
}

func refuse(w http.ResponseWriter, req *http.Request, round Round) {
	if round.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(round.RetryAfter))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(round.Status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
		"message": "scripted failure " + detail(req, round), "type": "scripted", "code": strconv.Itoa(round.Status),
	}})
}

func answerWhole(w http.ResponseWriter, script Script, r *Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"id": "chatcmpl-1", "object": "chat.completion", "model": "standin",
		"choices": []any{map[string]any{"index": 0, "finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": strings.Join(script.pieces(r.Round, r.Attempt), "")}}},
		"usage":   map[string]int{"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12},
	})
}

// answer is one stream under way.
type answer struct {
	s     *Server
	w     http.ResponseWriter
	req   *http.Request
	r     *Request
	round Round
}

// pieces writes the text; false when the asker went away.
func (a *answer) pieces(pieces []string) bool {
	a.data(map[string]any{"choices": []any{choice(map[string]any{"role": "assistant", "content": ""}, nil)}})
	for i, p := range pieces {
		if a.round.Gate != "" && i == a.round.GateAt && !a.wait(a.s.gate(a.round.Gate)) {
			return false
		}
		if a.round.Delay > 0 && !a.sleep(time.Duration(a.round.Delay)*time.Millisecond) {
			return false
		}
		if !a.data(map[string]any{"choices": []any{choice(map[string]any{"content": p}, nil)}}) {
			return false
		}
		a.s.update(a.r, func(r *Request) {
			if r.Written++; r.Written == 1 {
				r.FirstByte = time.Now()
			}
		})
	}
	if a.round.Gate != "" && a.round.GateAt >= len(pieces) {
		return a.wait(a.s.gate(a.round.Gate))
	}
	return true
}

// end writes the calls and ends the stream as the script says; false when the
// asker went away first.
func (a *answer) end() bool {
	switch a.round.End {
	case EndHang:
		<-a.req.Context().Done()
		return false
	case EndCut:
		panic(http.ErrAbortHandler)
	case EndError:
		a.data(map[string]any{"error": map[string]any{"message": "scripted error " + detail(a.req, a.round), "type": "server_error"}})
		return true
	case EndShort:
		return true
	}
	reason := "stop"
	for i, c := range a.round.Calls {
		reason = "tool_calls"
		a.call(i, c)
	}
	a.data(map[string]any{"choices": []any{choice(map[string]any{}, reason)}})
	a.data(map[string]any{"choices": []any{}, "usage": map[string]int{"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}})
	_, err := a.w.Write([]byte("data: [DONE]\n\n"))
	return err == nil
}

// call sends a call as providers do: its name first, its arguments in halves.
func (a *answer) call(i int, c Call) {
	half := len(c.Args) / 2
	for j, args := range []string{c.Args[:half], c.Args[half:]} {
		f := map[string]any{"arguments": args}
		d := map[string]any{"index": i, "function": f}
		if j == 0 {
			f["name"], d["id"], d["type"] = c.Name, c.ID, "function"
		}
		a.data(map[string]any{"choices": []any{choice(map[string]any{"tool_calls": []any{d}}, nil)}})
	}
}

func choice(delta map[string]any, reason any) map[string]any {
	return map[string]any{"index": 0, "delta": delta, "finish_reason": reason}
}

func (a *answer) data(v map[string]any) bool {
	v["id"], v["object"], v["model"], v["created"] = "chatcmpl-1", "chat.completion.chunk", "standin", 1
	b, err := json.Marshal(v)
	if err != nil {
		return false
	}
	if _, err := fmt.Fprintf(a.w, "data: %s\n\n", b); err != nil {
		return false
	}
	return http.NewResponseController(a.w).Flush() == nil
}

func (a *answer) wait(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	case <-a.req.Context().Done():
		return false
	}
}

func (a *answer) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-a.req.Context().Done():
		return false
	}
}

var _ http.Handler = (*Server)(nil)
