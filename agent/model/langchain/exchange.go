package langchain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/wire"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// exchange is one request to the provider and what came of it. The library
// takes it for its HTTP client.
type exchange struct {
	ctx       context.Context // of the request to the provider; the library has another
	m         *Model
	requestID string
	body      []byte // of the request
	silence   *wire.Silence

	// The library reads the stream on a goroutine of its own, and may return
	// before that has ended. giving is held while somebody is given what came, so
	// that nobody is given anything behind the end.
	giving      sync.Mutex
	onText      func(string)
	onReasoning func(string) // nil is nobody
	text        strings.Builder
	thought     int // how much of the reasoning onReasoning has had

	mu      sync.Mutex
	ended   bool
	parts   parts
	waiting string // text that onText has not had yet
	err     *fault.Error
	retry   bool
	status  int         // of a refusal
	finish  chat.Finish // of a complete answer
}

// errSilent ends a request whose provider says nothing.
var errSilent = errors.New("the provider is silent")

// Do sends our request where the library would send its own.
func (x *exchange) Do(*http.Request) (*http.Response, error) {
	own, err := x.request()
	if err != nil {
		x.fail(fault.Internal(x.m.scrub(err)))
		return nil, err
	}
	x.m.log.Debug("asking the provider", "model", x.m.Name(), "requestId", x.requestID)
	x.silence.Wait(x.m.timeout)
	resp, err := x.m.client.Do(own)
	x.silence.Heard()
	if err != nil {
		f := x.m.unreachable(err)
		x.failRetry(f, true)
		return nil, f
	}
	if resp.StatusCode != http.StatusOK {
		defer func() { _ = resp.Body.Close() }()
		x.silence.Wait(x.m.timeout)
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // half a body still says something
		x.silence.Heard()
		f, retry := x.m.refused(resp, body)
		x.status = resp.StatusCode
		x.failRetry(f, retry)
		return nil, f
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind == "text/html" {
		_ = resp.Body.Close()
		f := x.m.webPage()
		x.fail(f)
		return nil, f
	}
	resp.Body = newStream(x, resp)
	resp.Header.Set("Content-Type", "text/event-stream")
	resp.ContentLength = -1
	return resp, nil
}

func (x *exchange) request() (*http.Request, error) {
	own, err := http.NewRequestWithContext(x.ctx, http.MethodPost, x.m.url.String(), bytes.NewReader(x.body))
	if err != nil {
		return nil, err
	}
	h := own.Header
	h.Set("Content-Type", "application/json")
	h.Set("Accept", "text/event-stream")
	h.Set("User-Agent", "loongclaw")
	if x.m.key != "" {
		h.Set("Authorization", "Bearer "+x.m.key)
	}
	if wire.IsRequestID(x.requestID) {
		h.Set("X-Request-Id", x.requestID)
		h.Set("X-Client-Request-Id", x.requestID) // OpenAI's name for it
	}
	return own, nil
}

// heard takes what came in one event of the stream. full says that the answer ends
// here, since nothing holds more of it.
func (x *exchange) heard(c *chunk, whole bool) (full bool, f *fault.Error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ended {
		return false, nil
	}
	text, limit := x.parts.add(c, whole)
	x.waiting += text
	switch limit {
	case tooManyCalls:
		return false, x.m.tooMuch("the calls of an answer are more than 256, or than 12 MiB")
	case tooMuchText:
		x.parts.end = endLength
		return true, nil
	}
	return false, nil
}

// unfinished reports whether the answer has not come to its end.
func (x *exchange) unfinished() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.finish == ""
}

// hasFinish reports whether the provider has said why the answer ended.
func (x *exchange) hasFinish() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.parts.end != endNone
}

// deliver gives the waiting reasoning and text to the caller, and reports whether
// there was any.
func (x *exchange) deliver() bool {
	x.giving.Lock()
	defer x.giving.Unlock()
	x.mu.Lock()
	text, thought := x.waiting, x.parts.reasoning.String()[x.thought:]
	x.waiting = ""
	ended := x.ended
	x.mu.Unlock()
	if ended || text == "" && thought == "" {
		return false
	}
	x.thought += len(thought)
	if thought != "" && x.onReasoning != nil {
		x.onReasoning(strings.ToValidUTF8(thought, "\uFFFD"))
	}
	if text != "" {
		x.text.WriteString(text)
		x.onText(text)
	}
	return true
}

// end says that nothing that still comes counts. What is being given is given first.
func (x *exchange) end() {
	x.giving.Lock()
	defer x.giving.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.ended = true
}

func (x *exchange) fail(f *fault.Error) { x.failRetry(f, false) }

// failRetry keeps the first failure: the later ones follow from it.
func (x *exchange) failRetry(f *fault.Error, retry bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err != nil || x.ended {
		return
	}
	x.err, x.retry = f, retry
	x.closeLocked(false)
}

// closeLocked gives what of the text was held back.
func (x *exchange) closeLocked(whole bool) {
	if rest := x.parts.rest(whole); !x.ended {
		x.waiting += rest
	}
}

// finished closes the answer and says how it ended, or why it is none.
func (x *exchange) finished() (f *fault.Error, retry bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	p := &x.parts
	x.closeLocked(true)
	calls, _ := p.list()
	made := p.made(calls)
	switch {
	case p.end == endBroken:
		return x.m.broken("finish reason " + x.m.clip(p.finish)), true
	case p.end == endContext && !made.text && !made.calls:
		return x.m.tooLong(), false
	}
	if p.heard {
		x.m.inside.Store(p.inText.closed && !p.inText.started)
	}
	x.finish = outcome(p.end, made)
	return nil, false
}

// answer is what came, all of it or what there was before a failure. Calls are not
// run when a filter or a refusal ended the answer that they stand in.
func (x *exchange) answer(model string) loop.Answer {
	x.mu.Lock()
	defer x.mu.Unlock()
	a := loop.Answer{
		Text: x.text.String(), Finish: x.finish, Reasoning: strings.ToValidUTF8(x.parts.reasoning.String(), "\uFFFD"),
		Usage: x.parts.usage, Model: model,
	}
	n := native{Message: x.parts.keep.fields()}
	if a.Finish != chat.FinishContentFilter && a.Finish != chat.FinishRefusal {
		a.Calls, n.Calls = x.parts.list()
	}
	if !x.parts.keep.full() {
		a.Native = n.encode()
	}
	return a
}

// tooMuch is an answer that is larger than any honest one.
func (m *Model) tooMuch(why string) *fault.Error {
	return fault.Wrap(errors.New(why), fault.CodeProviderFailed, "the provider "+m.provider+" sent more than an answer may hold", "ask for less at once")
}

// panicked is the error of code that panicked: ours, or the library's.
func (m *Model) panicked(v any) *fault.Error {
	m.log.Error("a panic while an answer was read", "model", m.Name(), "panic", m.clip(fmt.Sprint(v)), "stack", string(debug.Stack()))
	return fault.Internal(errors.New("panic: " + m.clip(fmt.Sprint(v))))
}
