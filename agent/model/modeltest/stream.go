package modeltest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// answer plays one reply.
type answer struct {
	ctx      context.Context // of the request
	w        http.ResponseWriter
	r        *Request
	reply    Reply
	sent     int  // deltas so far
	complete bool // all was written that was to come
	cut      bool
}

// stream plays the reply as a stream of events.
func (a *answer) stream() {
	p := &a.reply
	if p.Fault == FaultHang {
		<-a.ctx.Done()
		return
	}
	if !a.wait(p.FirstDelay) {
		return
	}
	if p.Status != 0 && p.Status != http.StatusOK {
		a.refuse()
		return
	}
	kind := p.Type
	if kind == "" {
		kind = "text/event-stream"
	}
	a.w.Header().Set("Content-Type", kind)
	a.w.WriteHeader(http.StatusOK)
	a.flush()
	if p.Raw != "" {
		a.write(p.Raw)
		a.complete = true
		return
	}
	if a.deltas() && !a.broken(true) {
		a.end()
	}
}

func (a *answer) refuse() {
	p := &a.reply
	if p.RetryAfter != "" {
		a.w.Header().Set("Retry-After", p.RetryAfter)
	}
	body := p.Body
	if body == "" {
		body = `{"error":{"message":"scripted status ` + strconv.Itoa(p.Status) + `","type":"scripted","code":null}}`
	}
	a.w.Header().Set("Content-Type", "application/json")
	a.w.WriteHeader(p.Status)
	_, _ = io.WriteString(a.w, body)
	a.complete = true
}

// deltas sends reasoning, text and calls; false when the fault or the client
// ended it.
func (a *answer) deltas() bool {
	p := &a.reply
	for _, s := range strings.SplitAfter(p.Reasoning, " ") {
		if s != "" && !a.delta(`{"reasoning_content":`+quote(s)+`}`) {
			return false
		}
	}
	pieces := p.pieces()
	calls := a.callDeltas()
	if p.CallStyle == StyleWithText {
		return a.delta(`{"content":` + quote(strings.Join(pieces, "")) + `,"tool_calls":[` + strings.Join(calls, ",") + `]}`)
	}
	for _, s := range pieces {
		if p.Fault == FaultHalfUnits {
			if !a.halves(s) {
				return false
			}
			continue
		}
		if !a.delta(`{"content":` + quote(s) + `}`) {
			return false
		}
	}
	for _, c := range calls {
		if !a.delta(`{"tool_calls":[` + c + `]}`) {
			return false
		}
	}
	return true
}

// halves sends a text UTF-16 unit by unit.
func (a *answer) halves(s string) bool {
	for _, u := range utf16.Encode([]rune(s)) {
		if !a.delta(fmt.Sprintf(`{"content":"\u%04x"}`, u)) {
			return false
		}
	}
	return true
}

func (a *answer) delta(delta string) bool {
	if a.broken(false) {
		return false
	}
	a.event(`{"id":"chatcmpl-1","object":"chat.completion.chunk","model":` + quote(a.r.Model) + `,"choices":[{"index":0,"delta":` + delta + `,"finish_reason":null}]}`)
	a.sent++
	return a.wait(a.reply.Delay)
}

// broken plays the fault when its time has come; at the end it is high time.
func (a *answer) broken(atEnd bool) bool {
	if !atEnd && (a.reply.After == 0 || a.sent < a.reply.After) {
		return false
	}
	switch a.reply.Fault {
	case FaultStall:
		<-a.ctx.Done()
	case FaultNoise:
		for a.wait(1000) {
			a.write(": still here\n\n")
		}
	case FaultCut:
		a.write(`data: {"choices":[{"index":0,"del`)
		a.cut = true
	case FaultEnd:
		a.complete = true
	case FaultError:
		a.event(`{"error":{"message":"the model fell over","type":"server_error","code":"1234"}}`)
		a.complete = true
	default:
		return false
	}
	return true
}

// end sends what comes after the last delta.
func (a *answer) end() {
	p := &a.reply
	finish := p.Finish
	if finish == "" {
		finish = "stop"
		if len(p.Calls) > 0 {
			finish = "tool_calls"
		}
	}
	if p.Fault != FaultNoFinish {
		a.event(`{"choices":[{"index":0,"delta":{},"finish_reason":` + quote(finish) + `}]}`)
	}
	if p.Fault == FaultAfterFinish {
		a.event(`{"choices":[{"index":0,"delta":{"content":""},"finish_reason":""}]}`)
	}
	if !p.NoUsage {
		b, _ := json.Marshal(a.usage()) // three numbers
		a.event(`{"choices":[],"usage":` + string(b) + `}`)
	}
	a.complete = true
	if p.Fault == FaultNoDone {
		return
	}
	if p.Fault == FaultLinger {
		<-a.ctx.Done()
		return
	}
	a.event("[DONE]")
}

// whole answers without a stream.
func (a *answer) whole() {
	if !a.wait(a.reply.FirstDelay) {
		return
	}
	if a.reply.Status != 0 && a.reply.Status != http.StatusOK {
		a.refuse()
		return
	}
	a.w.Header().Set("Content-Type", "application/json")
	text, finish := strings.Join(a.reply.pieces(), ""), "stop"
	b, _ := json.Marshal(a.usage())
	calls := ""
	if len(a.reply.Calls) > 0 {
		a.reply.CallStyle, finish = StyleWhole, "tool_calls"
		calls = `,"tool_calls":[` + strings.Join(a.callDeltas(), ",") + `]`
	}
	_, _ = fmt.Fprintf(a.w, `{"id":"chatcmpl-1","object":"chat.completion","model":%s,"choices":[{"index":0,"message":{"role":"assistant","content":%s%s},"finish_reason":%q}],"usage":%s}`,
		quote(a.r.Model), quote(text), calls, finish, b)
	a.complete = true
}

func (a *answer) usage() Usage {
	if a.reply.Usage != nil {
		return *a.reply.Usage
	}
	prompt := 0
	for _, m := range a.r.Messages {
		prompt += len(strings.Fields(m.Content))
	}
	n := len(strings.Fields(a.reply.Text))
	return Usage{prompt, n, prompt + n}
}

func (a *answer) event(data string) {
	if a.reply.Fault == FaultSticky {
		a.write("data:" + data + "\r\n")
		return
	}
	a.write("data: " + data + "\n\n")
}

func (a *answer) write(s string) {
	_, _ = io.WriteString(a.w, s) // a client that is gone shows in the context
	a.flush()
}

func (a *answer) flush() { _ = http.NewResponseController(a.w).Flush() }

// wait pauses, and is false when the client has gone.
func (a *answer) wait(d Millis) bool {
	if d <= 0 {
		return a.ctx.Err() == nil
	}
	t := time.NewTimer(d.Duration())
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-a.ctx.Done():
		return false
	}
}

// quote writes a JSON string and leaves every byte as it is, half characters
// too, which Go's encoder would not.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c < 0x20:
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
