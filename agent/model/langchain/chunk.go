package langchain

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// chunk is one event of a provider's stream, or a whole answer in one piece.
type chunk struct {
	choices []choice
	usage   *usage
	failure json.RawMessage // the event says that it all went wrong
}

type choice struct {
	Index   *number       `json:"index"`
	Delta   object[delta] `json:"delta"`
	Message object[delta] `json:"message"` // of an answer that is not streamed, or all of it once more at its end
	Finish  rawText       `json:"finish_reason"`
	Native  rawText       `json:"native_finish_reason"` // what OpenRouter's provider called it
	Usage   object[usage] `json:"usage"`                // where Kimi puts it
	Error   json.RawMessage
}

// delta is a piece of the answer.
type delta struct {
	content   content
	refusal   rawText
	refused   bool // it says so without a text
	reasoning rawText
	details   list[fields] // of OpenRouter and others: reasoning in parts, with signatures
	calls     list[callDelta]
	extra     fields
}

// told are the fields of a delta that are read here. Of the others some are the
// provider's notes for whoever shows the answer, and no part of what it wants
// back; some providers refuse a message for them.
var (
	told  = []string{"role", "content", "refusal", "reasoning_content", "reasoning", "reasoning_details", "tool_calls", "function_call", "name"}
	notes = []string{"channel", "annotations", "audio", "citations", "images", "logprobs", "provider_metadata", "grounding_metadata", "token_ids", "obfuscation", "padding", "usage", "index", "finish_reason"}
)

// UnmarshalJSON reads a delta by its fields, and keeps those that it does not
// know.
func (d *delta) UnmarshalJSON(b []byte) error {
	var f map[string]json.RawMessage
	if err := json.Unmarshal(b, &f); err != nil {
		return err
	}
	*d = delta{}
	read(f["content"], &d.content)
	read(f["refusal"], &d.refusal)
	d.refused = d.content.refused || string(f["refusal"]) == "true"
	read(f["reasoning_details"], &d.details)
	read(f["reasoning_content"], &d.reasoning)
	if d.reasoning == "" {
		read(f["reasoning"], &d.reasoning) // Ollama's and some gateways' name for it
	}
	if d.reasoning == "" {
		d.reasoning = d.content.thought
	}
	if d.reasoning == "" {
		for _, one := range d.details {
			var text, summary rawText
			read(one["text"], &text)
			read(one["summary"], &summary)
			d.reasoning += text + summary
		}
	}
	read(f["tool_calls"], &d.calls)
	if raw := f["function_call"]; len(raw) > 0 && raw[0] == '{' {
		legacy := callDelta{index: legacyCall}
		legacy.function(raw)
		d.calls = append(d.calls, legacy)
	}
	d.extra = others(f, told, notes)
	return nil
}

// empty reports whether the delta says nothing.
func (d *delta) empty() bool {
	return d.content.rawText == "" && d.refusal == "" && !d.refused && d.reasoning == "" && len(d.calls) == 0
}

// callDelta is a piece of a call.
type callDelta struct {
	index *number
	id    rawText
	name  rawText
	args  arguments
	extra fields
}

// legacyCall is the place of a call in the form that OpenAI had before tools:
// there was one at most.
var legacyCall = func() *number { n := number(-1); return &n }()

// UnmarshalJSON reads a piece of a call, also one whose name and arguments do not
// stand in a function of its own.
func (d *callDelta) UnmarshalJSON(b []byte) error {
	var f map[string]json.RawMessage
	if err := json.Unmarshal(b, &f); err != nil {
		return err
	}
	*d = callDelta{}
	if raw := f["index"]; present(raw) {
		d.index = new(number)
		read(raw, d.index)
	}
	read(f["id"], &d.id)
	known := []string{"index", "id", "type", "function"}
	if raw := f["function"]; len(raw) > 0 && raw[0] == '{' {
		d.function(raw)
	} else {
		d.function(b)
		known = append(known, "name", "arguments", "parameters")
	}
	d.extra = others(f, known, nil)
	return nil
}

func (d *callDelta) function(raw json.RawMessage) {
	var f struct {
		Name       rawText   `json:"name"`
		Arguments  arguments `json:"arguments"`
		Parameters arguments `json:"parameters"`
	}
	_ = json.Unmarshal(raw, &f) // no field of it can fail
	d.name, d.args = f.Name, f.Arguments
	if d.args.rawText == "" {
		d.args = f.Parameters
	}
}

// content is a text, or a part, or a list of parts, of which some may be thoughts.
type content struct {
	rawText
	thought rawText
	refused bool
}

// UnmarshalJSON reads all of them.
func (c *content) UnmarshalJSON(b []byte) error {
	*c = content{}
	switch b[0] {
	case '[':
		for _, p := range elements(b, maxElements) {
			c.part(p)
		}
	case '{', '"':
		c.part(b)
	}
	return nil
}

func (c *content) part(raw json.RawMessage) {
	if raw[0] != '{' {
		var text rawText
		read(raw, &text)
		c.rawText += text
		return
	}
	var p struct {
		Text      content `json:"text"`
		Value     rawText `json:"value"` // of a text that is an object
		Thinking  content `json:"thinking"`
		Reasoning content `json:"reasoning"`
		Refusal   rawText `json:"refusal"`
	}
	_ = json.Unmarshal(raw, &p) // no field of it can fail
	c.rawText += p.Text.rawText + p.Value + p.Refusal
	c.thought += p.Thinking.rawText + p.Reasoning.rawText
	c.refused = c.refused || p.Refusal != ""
}

// arguments are JSON in a string, or, from some providers, the object itself.
type arguments struct{ rawText }

// UnmarshalJSON reads both.
func (a *arguments) UnmarshalJSON(b []byte) error {
	if b[0] == '{' || b[0] == '[' {
		a.rawText = rawText(b)
		return nil
	}
	return a.rawText.UnmarshalJSON(b)
}

// readChunk reads an event. named says that the provider called it an error.
// Whatever JSON it is, what can be read of it is, and the rest is left out.
func readChunk(data []byte, named bool) *chunk {
	var e struct {
		Choices list[choice]    `json:"choices"`
		Usage   object[usage]   `json:"usage"`
		Error   json.RawMessage `json:"error"`
		Base    json.RawMessage `json:"base_resp"` // MiniMax says there how it went
		Groq    struct {
			Usage object[usage]   `json:"usage"`
			Error json.RawMessage `json:"error"`
		} `json:"x_groq"`
	}
	_ = json.Unmarshal(data, &e)
	c := &chunk{choices: e.Choices, usage: e.Usage.get()}
	if c.usage == nil {
		c.usage = e.Groq.Usage.get()
	}
	errs := []json.RawMessage{e.Error, e.Groq.Error, baseError(e.Base)}
	for i := range c.choices {
		errs = append(errs, c.choices[i].Error)
	}
	for _, raw := range errs {
		if saysError(raw) {
			c.failure = raw
			return c
		}
	}
	if len(c.choices) > 0 || c.usage != nil {
		return c
	}
	if inner := envelope(data); inner != nil {
		return readChunk(inner, named)
	}
	if named || looksFailed(data) {
		c.failure = data
	}
	return c
}

// envelope returns the answer that stands one level down, in a field of any name,
// as some gateways wrap it; nil where there is none.
func envelope(data []byte) json.RawMessage {
	var f map[string]json.RawMessage
	_ = json.Unmarshal(data, &f)
	for _, k := range slices.Sorted(keysOf(f)) {
		raw := f[k]
		if raw[0] != '{' {
			continue
		}
		var inner struct {
			Choices json.RawMessage `json:"choices"`
			Error   json.RawMessage `json:"error"`
		}
		_ = json.Unmarshal(raw, &inner)
		if has := bytes.TrimSpace(inner.Choices); len(has) > 0 && (has[0] == '[' || has[0] == '{') || saysError(inner.Error) {
			return raw
		}
	}
	return nil
}

// looksFailed reports whether an event that has no answer in it is an error in a
// provider's own form: a message, and something that says how bad it is.
func looksFailed(data []byte) bool {
	var f map[string]json.RawMessage
	_ = json.Unmarshal(data, &f)
	for _, k := range []string{"errors", "error_msg", "error_message", "errorMessage", "error_code", "detail"} {
		if saysError(f[k]) {
			return true
		}
	}
	words := saysError(f["message"]) && f["message"][0] == '"' || saysError(f["msg"])
	if string(f["success"]) == "false" {
		return true
	}
	return words && (saysError(f["code"]) || saysError(f["status"]) || saysError(f["type"]))
}

// baseError is MiniMax's account of a request as an error, nil where it is none.
func baseError(raw json.RawMessage) json.RawMessage {
	var base struct {
		Code    json.RawMessage `json:"status_code"`
		Message rawText         `json:"status_msg"`
	}
	if json.Unmarshal(raw, &base) != nil || !saysError(base.Code) {
		return nil
	}
	b, _ := json.Marshal(map[string]any{"code": base.Code, "message": string(base.Message)})
	return b
}

// saysError reports whether the value of an error field tells of an error. Many
// servers have the field in every event: null, false, "", {}, code 0, "success".
func saysError(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return false
	}
	switch raw[0] {
	case '{':
		var f map[string]json.RawMessage
		if json.Unmarshal(raw, &f) != nil {
			return true
		}
		if code, ok := f["code"]; ok && present(code) && !saysError(code) && string(code) != `""` {
			return false // code 0, or "success"
		}
		for _, v := range f {
			if saysError(v) {
				return true
			}
		}
		return false
	case '[':
		var all []json.RawMessage
		_ = json.Unmarshal(raw, &all)
		return slices.ContainsFunc(all, saysError)
	}
	switch strings.ToLower(strings.TrimSpace(strings.Trim(string(raw), `"`))) {
	case "", "0", "0.0", "200", "null", "nil", "none", "false", "undefined", "ok", "success", "succeed", "succeeded":
		return false
	}
	return true
}
