package anthropictest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// answer plays one reply.
type answer struct {
	ctx   context.Context // of the request
	w     http.ResponseWriter
	r     *Request
	reply Reply
	sent  int // deltas so far
	cut   bool
}

// play answers with a stream, or at once where no stream was asked for.
func (a *answer) play() {
	if a.reply.Whole || !a.r.Body.Stream {
		a.w.Header().Set("Content-Type", or(a.reply.Type, "application/json"))
		_, _ = io.WriteString(a.w, a.whole())
		return
	}
	a.w.Header().Set("Content-Type", or(a.reply.Type, "text/event-stream; charset=utf-8"))
	a.w.WriteHeader(http.StatusOK)
	if a.reply.Fault == BOM {
		_, _ = io.WriteString(a.w, "\xEF\xBB\xBF")
	}
	start := `{"type":"message_start","message":` + a.message("[]", "null") + `}`
	a.event("message_start", start)
	if a.reply.Fault == Twice {
		a.event("message_start", start)
	}
	for i := range a.reply.Blocks {
		if !a.block(i, &a.reply.Blocks[i]) {
			return
		}
	}
	if a.broken() {
		return
	}
	a.end()
}

func (a *answer) stop() string {
	switch {
	case a.reply.Stop == "none":
		return "null"
	case a.reply.Stop != "":
		return quote(a.reply.Stop)
	}
	for _, b := range a.reply.Blocks {
		if b.Call != nil {
			return `"tool_use"`
		}
	}
	return `"end_turn"`
}

func (a *answer) usage() (start, end string) {
	u := a.reply.Usage
	if u == (Usage{}) {
		u = Usage{Input: 10, Output: 5}
	}
	start = fmt.Sprintf(`{"input_tokens":%d,"cache_creation_input_tokens":%d,"cache_read_input_tokens":%d,"cache_creation":{"ephemeral_5m_input_tokens":%d,"ephemeral_1h_input_tokens":0},"output_tokens":1,"service_tier":"standard"}`,
		u.Input, u.Created, u.Read, u.Created)
	end = fmt.Sprintf(`{"input_tokens":%d,"cache_creation_input_tokens":%d,"cache_read_input_tokens":%d,"output_tokens":%d`, u.Input, u.Created, u.Read, u.Output)
	if u.Thinking > 0 {
		end += fmt.Sprintf(`,"output_tokens_details":{"thinking_tokens":%d}`, u.Thinking)
	}
	return start, end + "}"
}

func (a *answer) message(content, stop string) string {
	start, end := a.usage()
	if stop == "null" {
		end = start
	}
	details := or(a.reply.Details, "null")
	return fmt.Sprintf(`{"id":"msg_01Fake","type":"message","role":"assistant","model":%s,"content":%s,"stop_reason":%s,"stop_sequence":null,"stop_details":%s,"usage":%s}`,
		quote(a.r.Body.Model), content, stop, details, end)
}

// signature signs thinking: all that stands before the answer is bound to it.
func (a *answer) signature(b *Block) string {
	if b.Unsigned {
		return ""
	}
	n := len(a.r.Body.Messages)
	if n > 0 && a.r.Body.Messages[n-1].Role == "assistant" {
		n-- // a paused answer goes on
	}
	return sign(b.Thinking, before(&a.r.Body, n))
}

// whole is the answer in one piece.
func (a *answer) whole() string {
	var out []string
	for i := range a.reply.Blocks {
		b := &a.reply.Blocks[i]
		switch {
		case b.Call != nil:
			out = append(out, fmt.Sprintf(`{"type":"tool_use","id":%s,"name":%s,"input":%s}`, quote(b.Call.ID), quote(b.Call.Name), or(b.Call.Input, "{}")))
		case b.Thinking != "":
			out = append(out, fmt.Sprintf(`{"type":"thinking","thinking":%s,"signature":%s}`, quote(b.Thinking), quote(a.signature(b))))
		case b.Redacted != "":
			out = append(out, `{"type":"redacted_thinking","data":`+quote("redacted:"+b.Redacted)+`}`)
		case b.Raw != "":
			out = append(out, b.Raw)
		default:
			out = append(out, `{"type":"text","text":`+quote(b.Text)+`}`)
		}
	}
	return a.message("["+strings.Join(out, ",")+"]", a.stop())
}

// block sends one block; false when the fault or the client ended it.
func (a *answer) block(i int, b *Block) bool {
	begin, kind, field, text := `{"type":"text","text":""}`, "text_delta", "text", b.Text
	switch {
	case b.Call != nil:
		input := "{}"
		kind, field, text = "input_json_delta", "partial_json", b.Call.Input
		if b.WholeCall {
			input, text = or(b.Call.Input, "{}"), ""
		}
		begin = fmt.Sprintf(`{"type":"tool_use","id":%s,"name":%s,"input":%s,"caller":{"type":"direct"}}`, quote(b.Call.ID), quote(b.Call.Name), input)
	case b.Thinking != "":
		begin, kind, field, text = `{"type":"thinking","thinking":"","signature":""}`, "thinking_delta", "thinking", b.Thinking
	case b.Redacted != "":
		begin, text = `{"type":"redacted_thinking","data":`+quote("redacted:"+b.Redacted)+`}`, ""
	case b.Raw != "":
		begin, text = b.Raw, ""
	}
	a.event("content_block_start", fmt.Sprintf(`{"type":"content_block_start","index":%d,"content_block":%s}`, i, begin))
	if i == 0 {
		a.event("ping", `{"type": "ping"}`)
	}
	pieces := a.pieces(text)
	if b.Call != nil && !b.WholeCall {
		pieces = append([]string{""}, pieces...) // the first one is always empty
	}
	for _, s := range pieces {
		if !a.delta(i, kind, field, s) {
			return false
		}
	}
	if b.Thinking != "" && !b.Unsigned && !a.delta(i, "signature_delta", "signature", a.signature(b)) {
		return false
	}
	if b.Citation != "" {
		a.event("content_block_delta", fmt.Sprintf(`{"type":"content_block_delta","index":%d,"delta":{"type":"citations_delta","citation":%s}}`, i, b.Citation))
	}
	a.event("content_block_stop", fmt.Sprintf(`{"type":"content_block_stop","index":%d}`, i))
	return true
}

// pieces cuts a text between characters.
func (a *answer) pieces(s string) []string {
	n := a.reply.Chunks
	if n == 0 {
		n = 7
	}
	var out []string
	for s != "" {
		end := min(n, len(s))
		for end < len(s) && s[end]&0xC0 == 0x80 {
			end++
		}
		out, s = append(out, s[:end]), s[end:]
	}
	return out
}

func (a *answer) delta(i int, kind, field, s string) bool {
	if a.broken() {
		return false
	}
	if a.reply.Delay > 0 {
		select {
		case <-time.After(a.reply.Delay):
		case <-a.ctx.Done():
			return false
		}
	}
	switch a.reply.Fault {
	case Flood:
		for range 100 {
			a.event("ping", `{"type": "ping"}`)
		}
	case Unknown:
		a.event("progress", `{"type":"progress","done":0.5}`)
		a.event("", `{"type":"x","index":"seven"}`)
	}
	a.sent++
	a.event("content_block_delta", fmt.Sprintf(`{"type":"content_block_delta","index":%d,"delta":{"type":%s,%s:%s}}`, i, quote(kind), quote(field), quote(s)))
	return a.ctx.Err() == nil
}

// broken plays the fault where its time has come.
func (a *answer) broken() bool {
	if a.sent < a.reply.After {
		return false
	}
	switch a.reply.Fault {
	case Stall:
		<-a.ctx.Done()
	case Pings:
		for a.ctx.Err() == nil {
			a.event("ping", `{"type": "ping"}`)
			select {
			case <-time.After(time.Millisecond):
			case <-a.ctx.Done():
			}
		}
	case Cut:
		a.cut = true
	case End:
	case Error:
		a.event("error", errorJSON(or(a.reply.Kind, "overloaded_error"), or(a.reply.Message, "Overloaded")))
	case BadJSON:
		a.event("content_block_delta", `{"type":"content_block_delta","index":0,"del`)
	default:
		return false
	}
	return true
}

func (a *answer) end() {
	_, end := a.usage()
	a.event("message_delta", fmt.Sprintf(`{"type":"message_delta","delta":{"stop_reason":%s,"stop_sequence":null,"stop_details":%s},"usage":%s}`,
		a.stop(), or(a.reply.Details, "null"), end))
	switch a.reply.Fault {
	case NoStop:
	case Linger:
		<-a.ctx.Done()
	default:
		a.event("message_stop", `{"type":"message_stop"}`)
	}
}

func (a *answer) event(name, data string) {
	newline := "\n"
	switch a.reply.Fault {
	case CRLF:
		newline = "\r\n"
	case CR:
		newline = "\r"
	case NoNames:
		name = ""
	case EmptyError:
		if json.Valid([]byte(data)) && strings.HasPrefix(data, "{") {
			data = `{"error":null,` + data[1:]
		}
	}
	if name != "" {
		_, _ = io.WriteString(a.w, "event: "+name+newline)
	}
	_, _ = io.WriteString(a.w, "data: "+data+newline+newline)
	if f, ok := a.w.(http.Flusher); ok {
		f.Flush()
	}
}
