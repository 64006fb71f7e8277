package langchain

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/wire"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// exchange is one request to the provider and what came of it. The library
// takes it for its HTTP client.
type exchange struct {
	ctx       context.Context // of the request to the provider; the library has another
	m         *Model
	requestID string
	body      []byte // of the request
	cancel    context.CancelCauseFunc
	onText    func(string)

	// The library reads the stream on a goroutine of its own, and may return
	// before that has ended.
	mu      sync.Mutex
	ended   bool
	began   bool // something of an answer came: too late to ask again
	parts   parts
	waiting []string // text that onText has not had yet
	text    strings.Builder
	err     *fault.Error
	retry   bool
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
	w := x.watch(x.m.timeout)
	resp, err := x.m.client.Do(own)
	w.Stop()
	if err != nil {
		f := x.m.unreachable(err)
		x.failRetry(f, true)
		return nil, f
	}
	if resp.StatusCode != http.StatusOK {
		defer func() { _ = resp.Body.Close() }()
		w = x.watch(x.m.timeout)
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // half a body still says something
		w.Stop()
		f, retry := x.m.refused(resp, body)
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

// watch ends the request unless it is stopped in time.
func (x *exchange) watch(d time.Duration) *time.Timer {
	return time.AfterFunc(d, func() { x.cancel(errSilent) })
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

// heard takes what came in one event of the stream.
func (x *exchange) heard(c *chunk) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ended {
		return
	}
	before := x.parts.size()
	text := x.parts.add(c)
	if x.parts.size() != before || text != "" {
		x.began = true
	}
	if text != "" {
		x.waiting = append(x.waiting, text)
	}
}

// deliver gives the waiting text to the caller, on the caller's goroutine.
func (x *exchange) deliver() {
	x.mu.Lock()
	waiting := x.waiting
	x.waiting = nil
	x.mu.Unlock()
	for _, s := range waiting {
		x.text.WriteString(s)
		x.onText(s)
	}
}

// end says that nothing that still comes counts.
func (x *exchange) end() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.ended = true
}

func (x *exchange) fail(f *fault.Error) { x.failRetry(f, false) }

// failRetry keeps the first failure: the later ones follow from it.
func (x *exchange) failRetry(f *fault.Error, retry bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err == nil && !x.ended {
		x.err, x.retry = f, retry
	}
}

// finished closes the text and says why the answer ended.
func (x *exchange) finished() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	if rest := x.parts.rest(); rest != "" && !x.ended {
		x.waiting = append(x.waiting, rest)
	}
	return x.parts.finish
}

// answer is what came, all of it or what there was before a failure.
func (x *exchange) answer(model string) loop.Answer {
	x.mu.Lock()
	defer x.mu.Unlock()
	return loop.Answer{
		Text: x.text.String(), Calls: x.parts.calls.list(), Reasoning: x.parts.reasoning.String(),
		Usage: x.parts.usage, Model: model, Finish: finishOf(x.parts.finish),
	}
}
