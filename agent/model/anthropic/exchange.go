package anthropic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/loongclaw/loongclaw/agent/model/wire"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

const (
	// afterEnd is how long we wait for the end of the stream once the answer is
	// complete.
	afterEnd = 3 * time.Second
	// onlyPings is how many timeouts a provider may fill with pings alone.
	onlyPings = 10
	// version of the protocol; newer fields come without a newer one.
	version = "2023-06-01"
)

// exchange is one request to the provider and what came of it.
type exchange struct {
	a     *answer
	began bool // something of an answer came: too late to ask again
	calls bool // a call came
	heard bool // a message began
	stop  string
	ended bool // the message has come to its end
	last  *part
	open  map[int]*part // by index
	used  usage

	silence *wire.Silence
	said    time.Time // when something else than a ping came last
}

// ask sends one request and reads what comes. Nothing is left running behind it.
func (m *Model) ask(ctx context.Context, x *exchange, requestID string, body []byte) *failure {
	own, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	x.silence = wire.NewSilence(func() { cancel(errSilent) })
	defer x.silence.Stop()
	req, err := http.NewRequestWithContext(own, http.MethodPost, m.url.String(), bytes.NewReader(body))
	if err != nil {
		return fails(m.secrets.Scrub(err), fault.CodeInternal, "internal error", "try again")
	}
	m.head(req.Header, requestID)
	m.log.Debug("asking the provider", "model", m.Name(), "requestId", requestID)
	x.silence.Wait(m.timeout)
	resp, err := m.client.Do(req)
	x.silence.Heard()
	if err != nil {
		f := m.unreachable(err)
		f.retry = true // nothing was said yet
		return f
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		x.silence.Wait(m.timeout)
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // half a body still says something
		x.silence.Heard()
		f := m.refused(resp.StatusCode, said)
		if d := wire.RetryAfter(resp.Header, time.Now()); d > 0 {
			f.Error = f.After(d)
		}
		return f
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind == "text/html" {
		return webPage()
	}
	return x.read(resp.Body)
}

func (m *Model) head(h http.Header, requestID string) {
	h.Set("Content-Type", "application/json")
	h.Set("Accept", "text/event-stream")
	h.Set("User-Agent", "loongclaw")
	h.Set("Anthropic-Version", version)
	if m.key != "" {
		h.Set("X-Api-Key", m.key)
		if !m.genuine {
			h.Set("Authorization", "Bearer "+m.key) // how many gateways want it
		}
	}
	if wire.IsRequestID(requestID) {
		h.Set("X-Request-Id", requestID)
	}
}

// watched reads a body whose sender may not be silent for long.
type watched struct {
	x    *exchange
	body io.Reader
}

// Read gives what comes next.
func (r watched) Read(p []byte) (int, error) {
	timeout := r.x.a.m.timeout
	patience := min(timeout, onlyPings*timeout-time.Since(r.x.said))
	if r.x.stop != "" {
		patience = min(patience, afterEnd)
	}
	r.x.silence.Wait(patience)
	defer r.x.silence.Heard()
	return r.body.Read(p)
}

// read reads the stream to its end.
func (x *exchange) read(body io.Reader) *failure {
	x.said = time.Now()
	stream := newEvents(watched{x, body})
	defer x.close()
	for {
		name, data, err := stream.next()
		if err != nil {
			return x.broke(err)
		}
		if name == "ping" || len(bytes.TrimSpace(data)) == 0 {
			continue
		}
		if bytes.Equal(bytes.TrimSpace(data), []byte("[DONE]")) { // how gateways end any stream
			x.ended = true
		} else if f := x.event(name, data); f != nil {
			return f
		}
		if x.ended {
			return x.complete()
		}
	}
}

// broke takes the end of the body: a good one only where the answer had come to its
// own end before.
func (x *exchange) broke(err error) *failure {
	switch {
	case x.stop != "":
		return x.complete()
	case errors.Is(err, io.EOF):
		return broken("the stream ended before the answer did")
	case errors.Is(err, errLong):
		return broken(errLong.Error())
	}
	return x.a.m.unreachable(err)
}

// complete closes the message. One in which nothing was said at all is none.
func (x *exchange) complete() *failure {
	if !x.heard {
		return broken("the stream has no message")
	}
	return nil
}

// event is one event of the stream, or a whole answer.
type event struct {
	Type    string          `json:"type"`
	Index   number          `json:"index"`
	Message *begun          `json:"message"`
	Block   json.RawMessage `json:"content_block"`
	Delta   json.RawMessage `json:"delta"`
	Usage   *usage          `json:"usage"`
	Error   json.RawMessage `json:"error"`

	// Of a whole answer.
	Content []json.RawMessage `json:"content"`
	Stop    wire.Text         `json:"stop_reason"`

	Choices json.RawMessage `json:"choices"` // of OpenAI's protocol
}

// begun is the message that a message_start brings.
type begun struct {
	Content []json.RawMessage `json:"content"`
	Stop    wire.Text         `json:"stop_reason"`
	Usage   *usage            `json:"usage"`
}

func (x *exchange) event(name string, data []byte) *failure {
	m := x.a.m
	var e event
	if err := json.Unmarshal(data, &e); err != nil {
		if name == "error" {
			return m.inStream(data)
		}
		return broken("an event of the stream cannot be read")
	}
	if e.Type == "" {
		e.Type = name
	}
	switch {
	case e.Type == "error" || present(e.Error):
		return m.inStream(data)
	case e.Type == "ping":
		return nil
	case present(e.Choices) && !x.heard:
		return foreign()
	case e.Type == "" && e.Content != nil:
		e.Type = "message"
	}
	x.said = time.Now()
	x.used.count(e.Usage)
	switch e.Type {
	case "message_start":
		x.start(e.Message)
	case "message":
		x.start(&begun{e.Content, e.Stop, e.Usage})
		x.ended = true
	case "content_block_start":
		x.begin(e.Index, e.Block)
	case "content_block_delta":
		x.delta(e.Index, e.Delta)
	case "content_block_stop":
		x.end(x.at(e.Index))
	case "message_delta":
		var d struct {
			Stop wire.Text `json:"stop_reason"`
		}
		if json.Unmarshal(e.Delta, &d) == nil && d.Stop != "" {
			x.stop = whole(d.Stop)
		}
	case "message_stop":
		x.ended = true
	}
	return nil
}

// present reports whether a field holds anything: some gateways send an empty error
// with each event.
func present(raw json.RawMessage) bool {
	switch string(bytes.TrimSpace(raw)) {
	case "", "null", `""`, "{}", "[]", "false":
		return false
	}
	return true
}

// start takes the beginning of a message. A second one is the first again.
func (x *exchange) start(b *begun) {
	if b == nil {
		b = &begun{}
	}
	x.used.count(b.Usage)
	if x.heard {
		return
	}
	x.heard = true
	for i, raw := range b.Content {
		x.begin(number{i, true}, raw)
		x.end(x.last)
	}
	if b.Stop != "" {
		x.stop = whole(b.Stop)
	}
}

// at is the block that a delta is of: by its index, where it has one.
func (x *exchange) at(index number) *part {
	if !index.said {
		return x.last
	}
	return x.open[index.n]
}

func (x *exchange) begin(index number, raw json.RawMessage) {
	if !present(raw) {
		return
	}
	x.heard = true
	p := &x.a.parts
	before := p.text.Len()
	n := p.begin(raw)
	if old := x.at(index); old != nil && n.kind == "tool_use" && old.kind == n.kind && n.id != "" && old.id == n.id {
		p.all = p.all[:len(p.all)-1] // the same beginning, twice
		return
	}
	x.last = n
	if index.said {
		x.open[index.n] = n
	}
	x.came(n, p.text.String()[before:])
}

// came says that something of an answer has come.
func (x *exchange) came(n *part, text string) {
	if n.kind != "text" || n.size > 0 || n.joiner.Held() > 0 {
		x.began = true
	}
	x.calls = x.calls || n.kind == "tool_use"
	x.a.reason()
	if text != "" {
		x.a.onText(text)
	}
}

func (x *exchange) delta(index number, raw json.RawMessage) {
	var d delta
	if json.Unmarshal(raw, &d) != nil {
		return
	}
	n := x.at(index)
	if n == nil {
		// The beginning was lost. Text says for itself what it is; input does not
		// say whose it is.
		switch d.Type {
		case "text_delta":
			x.begin(index, json.RawMessage(`{"type":"text"}`))
		case "thinking_delta":
			x.begin(index, json.RawMessage(`{"type":"thinking"}`))
		default:
			return
		}
		n = x.last
	}
	x.came(n, x.a.parts.add(n, &d))
}

// end closes a block, what was held back of its text included.
func (x *exchange) end(n *part) {
	if n != nil {
		x.came(n, x.a.parts.end(n))
	}
}

// close closes what the stream left open.
func (x *exchange) close() {
	for _, n := range x.a.parts.all {
		if n.joiner.Held() > 0 {
			x.end(n)
		}
	}
}
