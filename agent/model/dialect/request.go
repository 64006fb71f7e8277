package dialect

import (
	"bytes"
	"encoding/json"
	"strconv"
	"sync"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Asked is who is asked.
type Asked struct {
	Provider string // as in loop.Message.Model, before the slash
	Model    string // as in loop.Message.Model, after the slash
	Rules    Rules
	Sees     bool // it reads images
}

// Options are the settings of a request.
type Options struct {
	MaxTokens   int // 0: the provider's own limit
	Temperature float64
}

// Messages are the messages of a request, one JSON object each.
func Messages(q loop.Question, a Asked) []json.RawMessage {
	var out []json.RawMessage
	for _, m := range build(q, a) {
		out = append(out, m.json(&a.Rules))
	}
	return out
}

// Request is the body of a request that is answered with a stream.
func Request(q loop.Question, a Asked, opt Options) []byte {
	r := &a.Rules
	if !r.holds(q.Choice) {
		q = ToldChoice(q)
	}
	all := build(q, a)
	o := object{}.text("model", a.Model).raw("stream", json.RawMessage("true"))
	if opt.MaxTokens > 0 {
		o = o.number(r.MaxTokens, opt.MaxTokens)
	}
	if r.Temperature {
		o = o.raw("temperature", strconv.AppendFloat(nil, opt.Temperature, 'g', -1, 64))
	}
	if r.StreamUsage {
		o = o.raw("stream_options", json.RawMessage(`{"include_usage":true}`))
	}
	tools := tools(q, all, r)
	if len(tools) > 0 { // an empty list is refused by some
		o = o.raw("tools", array(tools))
	}
	messages := make([]json.RawMessage, 0, len(all))
	for i := range all {
		messages = append(messages, all[i].json(r))
	}
	o = o.raw("messages", array(messages))
	if len(tools) > 0 && r.Has(ChoiceNone) && (q.NoCalls || len(q.Tools) == 0) {
		o = o.text("tool_choice", "none")
	} else if len(tools) > 0 && !q.NoCalls {
		o = choice(o, q, r)
	}
	if f := responseFormat(q.Format, r.JSON); f != nil {
		o = o.raw("response_format", f)
	}
	return o.bytes()
}

// holds reports whether a provider can be held to a choice.
func (r *Rules) holds(c loop.Choice) bool {
	switch c.Kind {
	case loop.ChooseAny:
		return r.Choose&ChooseAny != 0
	case loop.ChooseOne:
		return r.Choose&ChooseOne != 0
	}
	return true
}

// choice writes what is to be called, and how many at a time.
func choice(o object, q loop.Question, r *Rules) object {
	switch q.Choice.Kind {
	case loop.ChooseAny:
		o = o.text("tool_choice", "required")
	case loop.ChooseOne:
		f := object{}.text("name", q.Choice.Name).bytes()
		o = o.raw("tool_choice", object{}.text("type", "function").raw("function", f).bytes())
	}
	if q.OneCall && r.Choose&ChooseSingle != 0 {
		o = o.raw("parallel_tool_calls", json.RawMessage("false"))
	}
	return o
}

// responseFormat is what holds a model to an answer in JSON, nil where nothing can.
func responseFormat(f *loop.Format, can JSON) json.RawMessage {
	switch {
	case f == nil || can == JSONTold:
		return nil
	case len(f.Schema) == 0 || can == JSONObject:
		return object{}.text("type", "json_object").bytes()
	}
	schema := object{}.text("name", f.Name)
	if f.Strict {
		schema = schema.raw("strict", json.RawMessage("true"))
	}
	return object{}.text("type", "json_schema").raw("json_schema", schema.raw("schema", f.Schema).bytes()).bytes()
}

var noParameters = json.RawMessage(`{"type":"object","properties":{}}`)

// tools are the declarations of a request. Where calls are in sight and no tool
// is left, the tools that were called are declared, since some providers refuse
// calls of none.
func tools(q loop.Question, all []message, r *Rules) []json.RawMessage {
	if q.NoCalls && !r.Has(Declared) {
		return nil
	}
	var out []json.RawMessage
	for i := range q.Tools {
		out = append(out, written.of(&q.Tools[i]))
	}
	if len(out) > 0 || !r.Has(Declared) {
		return out
	}
	known := map[string]bool{}
	for _, m := range all {
		for _, k := range m.calls {
			if !known[k.name] {
				known[k.name] = true
				out = append(out, declaration(k.name, "This tool is not available any more.", noParameters))
			}
		}
	}
	return out
}

// declarations remembers how tools are declared: the same ones are with every request,
// and to write them takes longer than all else of it.
type declarations struct {
	mu  sync.Mutex
	all map[declared]json.RawMessage
}

type declared struct{ name, description, parameters string }

// maxDeclared bounds what is remembered. Beyond it all is forgotten: who has so many
// tools has others every time.
const maxDeclared = 512

var written declarations

func (d *declarations) of(s *loop.Spec) json.RawMessage {
	d.mu.Lock()
	defer d.mu.Unlock()
	if known := d.all[declared{s.Name, s.Description, string(s.Parameters)}]; known != nil {
		return known
	}
	params := noParameters
	var b bytes.Buffer
	if len(s.Parameters) > 0 && json.Compact(&b, s.Parameters) == nil {
		params = b.Bytes()
	}
	if len(d.all) >= maxDeclared || d.all == nil {
		d.all = map[declared]json.RawMessage{}
	}
	made := declaration(s.Name, s.Description, params)
	d.all[declared{s.Name, s.Description, string(s.Parameters)}] = made
	return made
}

func declaration(name, description string, parameters json.RawMessage) json.RawMessage {
	f := object{}.text("name", name).text("description", description).raw("parameters", parameters)
	return object{}.text("type", "function").raw("function", f.bytes()).bytes()
}

// json writes a message in its provider's form.
func (m *message) json(r *Rules) json.RawMessage {
	o := object{}.text("role", m.role)
	switch m.role {
	case roleAgent:
		return m.answer(r, o)
	case loop.RoleTool:
		o = o.text("tool_call_id", m.callID)
		if r.Has(NamedResults) {
			o = o.text("name", m.name)
		}
	case chat.RoleUser:
		if len(m.lead) > 0 {
			return o.raw("content", m.parts()).bytes()
		}
	}
	return o.text("content", m.text).bytes()
}

func (m *message) answer(r *Rules, o object) json.RawMessage {
	m.sign(r.Signature)
	m.think(r)
	switch {
	case m.text != "" || len(m.calls) == 0 || r.Content == ContentEmpty:
		o = o.text("content", m.text)
	case r.Content == ContentNull:
		o = o.raw("content", json.RawMessage("null"))
	default:
		o = o.text("content", "Calling "+m.calls[0].name+".")
	}
	if r.Reasoning != "" && m.reasoning != "" {
		o = o.text(r.Reasoning, m.reasoning)
	}
	o = o.fields(m.fields)
	if len(m.calls) == 0 {
		return o.bytes()
	}
	var calls []json.RawMessage
	for _, k := range m.calls {
		f := object{}.text("name", k.name).text("arguments", k.args)
		calls = append(calls, object{}.text("id", k.id).text("type", "function").raw("function", f.bytes()).fields(k.fields).bytes())
	}
	return o.raw("tool_calls", array(calls)).bytes()
}
