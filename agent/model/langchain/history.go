package langchain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// extra is what a message of the request needs and the library cannot say. There
// is one for each message, in order.
type extra struct {
	reasoning string
	calls     bool
}

var plainID = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// maxCallID is the longest call id that every provider takes.
const maxCallID = 64

// transcript builds the request's messages. Providers refuse a whole
// conversation for one call without a result, one result without its call, or
// one empty message; so none of these leaves this house, whatever was cut off
// the conversation's start or lost in a crash.
type transcript struct {
	m     *Model
	out   []llms.MessageContent
	extra []extra
	used  map[string]bool
	open  []openCall
}

type openCall struct {
	wireID, id, name string
}

func (m *Model) history(q loop.Question) ([]llms.MessageContent, []extra) {
	t := &transcript{m: m, used: map[string]bool{}}
	if q.System != "" {
		t.add(llms.TextParts(llms.ChatMessageTypeSystem, q.System), extra{})
	}
	for i := range q.Messages {
		t.message(&q.Messages[i])
	}
	t.close()
	return t.out, t.extra
}

func (t *transcript) add(c llms.MessageContent, e extra) {
	t.out, t.extra = append(t.out, c), append(t.extra, e)
}

func (t *transcript) message(msg *loop.Message) {
	switch msg.Role {
	case loop.RoleTool:
		t.result(msg)
	case chat.RoleAssistant:
		t.close()
		t.assistant(msg)
	default:
		t.close()
		text := msg.Text
		if msg.Context != "" {
			text = strings.TrimSpace(msg.Context + "\n\n" + text)
		}
		if text != "" {
			t.add(llms.TextParts(llms.ChatMessageTypeHuman, text), extra{})
		}
	}
}

func (t *transcript) assistant(msg *loop.Message) {
	if msg.Text == "" && len(msg.Calls) == 0 {
		return
	}
	c := llms.MessageContent{Role: llms.ChatMessageTypeAI}
	if msg.Text != "" {
		c.Parts = append(c.Parts, llms.TextPart(msg.Text))
	}
	for i, call := range msg.Calls {
		id := t.wireID(call.ID, i)
		t.open = append(t.open, openCall{id, call.ID, call.Name})
		c.Parts = append(c.Parts, llms.ToolCall{ID: id, Type: "function", FunctionCall: &llms.FunctionCall{
			Name: call.Name, Arguments: wireArguments(call.Arguments),
		}})
	}
	t.add(c, extra{reasoning: msg.Reasoning, calls: len(msg.Calls) > 0})
}

// wireID is the call's own id where the provider can take it, else one of ours.
func (t *transcript) wireID(id string, i int) string {
	if id == "" || t.used[id] || len(id) > maxCallID || (t.m.dialect.plainIDs && !plainID.MatchString(id)) {
		id = fmt.Sprintf("call_%d_%d", len(t.out), i)
		for t.used[id] {
			id += "_"
		}
	}
	t.used[id] = true
	return id
}

// wireArguments are arguments that every provider takes back: some refuse the
// conversation for good when a model once wrote what is no JSON object.
func wireArguments(args json.RawMessage) string {
	if s := bytes.TrimSpace(args); len(s) > 0 && s[0] == '{' && json.Valid(s) {
		return string(args)
	}
	if len(bytes.TrimSpace(args)) == 0 {
		return "{}"
	}
	b, err := json.Marshal(map[string]string{"invalid_arguments": string(args)})
	if err != nil {
		return "{}"
	}
	return string(b)
}

// result answers the call that it names; a result of no call is left out.
func (t *transcript) result(msg *loop.Message) {
	at := t.find(msg)
	if at < 0 {
		return
	}
	call := t.open[at]
	t.open = append(t.open[:at:at], t.open[at+1:]...)
	t.respond(call, msg.Text)
}

func (t *transcript) find(msg *loop.Message) int {
	for i, c := range t.open {
		if msg.CallID != "" && c.id == msg.CallID {
			return i
		}
	}
	for i, c := range t.open {
		if c.name == msg.Name && (msg.CallID == "" || c.id == "") {
			return i
		}
	}
	return -1
}

func (t *transcript) respond(c openCall, text string) {
	if text == "" {
		text = "(no output)" // some providers refuse an empty result
	}
	t.add(llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{
		llms.ToolCallResponse{ToolCallID: c.wireID, Name: c.name, Content: text},
	}}, extra{})
}

// close answers the calls that nobody answered.
func (t *transcript) close() {
	for _, c := range t.open {
		t.respond(c, "error: this call has no result")
	}
	t.open = nil
}

var noParameters = json.RawMessage(`{"type":"object","properties":{}}`)

func toolsOf(specs []loop.Spec) []llms.Tool {
	tools := make([]llms.Tool, 0, len(specs))
	for _, s := range specs {
		params := s.Parameters
		if len(params) == 0 {
			params = noParameters
		}
		tools = append(tools, llms.Tool{Type: "function", Function: &llms.FunctionDefinition{
			Name: s.Name, Description: s.Description, Parameters: params,
		}})
	}
	return tools
}
