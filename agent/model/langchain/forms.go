package langchain

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/loongclaw/loongclaw/agent/loop"
)

// form is a notation in which models write calls.
type form struct {
	open    []string
	close   string // "" where the block goes on to the end of the answer
	keep    bool   // what opens the block is part of its first call
	special bool   // its marks are tokens of the model's own, which no prose has
	read    func(body string, tools declared) ([]loop.Call, bool)
}

// forms are the notations, each with whose it is. Where one begins as another does
// the longer one stands first.
var forms = []*form{
	{open: []string{"<tool_call>"}, close: "</tool_call>", read: readToolCall},                                  // Hermes, Qwen, GLM
	{open: []string{"<tool_calls>"}, close: "</tool_calls>", read: readJSON},                                    // MiniMax-M1, Hunyuan, Jamba
	{open: []string{"<function_calls>"}, close: "</function_calls>", read: readInvokes},                         // as Claude's prompts had it
	{open: []string{"<minimax:tool_call>"}, close: "</minimax:tool_call>", read: readInvokes},                   // MiniMax-M2
	{open: []string{"<seed:tool_call>"}, close: "</seed:tool_call>", read: readFunctions},                       // Doubao Seed
	{open: []string{"<function="}, close: "</function>", keep: true, read: readFunctions},                       // Qwen3-Coder, Llama
	{open: []string{"<｜DSML｜function_calls>"}, close: "</｜DSML｜function_calls>", special: true, read: readDSML}, // DeepSeek V3.2
	{open: []string{"<｜DSML｜tool_calls>"}, close: "</｜DSML｜tool_calls>", special: true, read: readDSML},         // DeepSeek V4
	{open: []string{"<|DSML|function_calls>"}, close: "</|DSML|function_calls>", special: true, read: readDSML},
	{open: []string{"<|DSML|tool_calls>"}, close: "</|DSML|tool_calls>", special: true, read: readDSML},
	{open: []string{"<||DSML||function_calls>"}, close: "</||DSML||function_calls>", special: true, read: readDSML},
	{open: []string{"<||DSML||tool_calls>"}, close: "</||DSML||tool_calls>", special: true, read: readDSML},
	{open: []string{"<｜DSML｜invoke "}, close: "</｜DSML｜invoke>", keep: true, special: true, read: readDSML}, // its server took the beginning away
	{open: []string{"<|DSML|invoke "}, close: "</|DSML|invoke>", keep: true, special: true, read: readDSML},
	{open: []string{"<｜tool▁calls▁begin｜>"}, close: "<｜tool▁calls▁end｜>", special: true, read: readDeepSeek},                         // DeepSeek V3, R1
	{open: []string{"<｜tool▁call▁begin｜>"}, close: "<｜tool▁call▁end｜>", keep: true, special: true, read: readDeepSeek},               // the same
	{open: []string{"<|tool_calls_section_begin|>"}, close: "<|tool_calls_section_end|>", special: true, read: readKimi},             // Kimi K2
	{open: []string{"<|tool_call_begin|>"}, close: "<|tool_call_end|>", keep: true, special: true, read: readKimi},                   // the same
	{open: []string{"<|channel|>commentary to="}, close: "<|call|>", keep: true, special: true, read: readHarmony},                   // gpt-oss
	{open: []string{"<|start|>assistant<|channel|>commentary to="}, close: "<|call|>", keep: true, special: true, read: readHarmony}, // the same
	{open: []string{"<|python_tag|>"}, special: true, read: readJSON},                                                                // Llama 3
	{open: []string{"<|tool_call|>"}, special: true, read: readJSON},                                                                 // Granite, Phi-4
	{open: []string{"[TOOL_CALLS]"}, special: true, read: readMistral},                                                               // Mistral
}

// maxOpen is the length of the longest beginning of a block.
const maxOpen = 64

// formAt is the form whose block begins at s, or whether one still may.
func formAt(s string) (f *form, partial bool) {
	for _, f := range forms {
		for _, open := range f.open {
			if strings.HasPrefix(s, open) {
				return f, false
			}
			partial = partial || strings.HasPrefix(open, s)
		}
	}
	return nil, partial
}

// opener is what of s opens the block, "" where that is part of the first call.
func (f *form) opener(s string) string {
	for _, open := range f.open {
		if strings.HasPrefix(s, open) {
			return open
		}
	}
	return ""
}

// plausible reports whether what has come of a block may be one. It spares whoever
// reads about a form that has no end the wait for the end of the answer.
func (f *form) plausible(s string, tools declared) bool {
	body := strings.TrimLeft(strings.TrimPrefix(s, f.opener(s)), " \r\n\t")
	if f.close != "" || body == "" || body[0] == '{' || body[0] == '[' {
		return true
	}
	for name := range tools {
		if strings.HasPrefix(body, name) || strings.HasPrefix(name, body) {
			return true
		}
	}
	return false
}

// marks are what models write behind a call that is none of it: tokens that end a
// turn, and closing tags without a beginning.
var marks = regexp.MustCompile(`^(?:\s|<[|｜][^<>\n]{1,40}[|｜]>|</[\w:｜|]{1,40}>)*$`)

// markBegun is the same, where the last of them may not be complete yet.
var markBegun = regexp.MustCompile(`^(?:\s|<[|｜][^<>\n]{1,40}[|｜]>|</[\w:｜|]{1,40}>)*<(?:[|｜][^<>\n]{0,41}|/[\w:｜|]{0,40})?$`)

func onlyMarks(s string) bool { return marks.MatchString(s) }

// readWritten reads blocks that stand one behind the other, with nothing else
// between and behind them. The last one may lack its end where that is allowed:
// for some models it is the token at which the server stopped.
func readWritten(s string, tools declared, endless bool) (calls []loop.Call, ok bool) {
	for s = strings.TrimSpace(s); s != "" && !onlyMarks(s); s = strings.TrimSpace(s) {
		f, _ := formAt(s)
		if f == nil {
			return nil, false
		}
		read, rest, ok := f.next(s, tools, endless)
		if !ok || len(calls)+len(read) > maxCalls {
			return nil, false
		}
		calls, s = append(calls, read...), rest
	}
	return calls, len(calls) > 0
}

// next reads the first block of s. Its end may also stand in a string within it,
// so the first end counts behind which there is a call.
func (f *form) next(s string, tools declared, endless bool) (calls []loop.Call, rest string, ok bool) {
	from := len(f.opener(s))
	for at := from; f.close != ""; {
		i := strings.Index(s[at:], f.close)
		if i < 0 {
			break
		}
		if calls, ok = f.body(s[:at+i], from, tools); ok {
			return calls, s[at+i+len(f.close):], true
		}
		at += i + len(f.close)
	}
	if f.close == "" || endless {
		calls, ok = f.body(s, from, tools)
	}
	return calls, "", ok
}

func (f *form) body(s string, from int, tools declared) ([]loop.Call, bool) {
	if f.keep {
		from = 0
	}
	calls, ok := f.read(strings.TrimSpace(s[from:]), tools)
	if !ok || len(calls) == 0 {
		return nil, false
	}
	for i := range calls {
		if !tools.has(calls[i].Name) || !isObject(string(calls[i].Arguments)) {
			return nil, false
		}
	}
	return calls, true
}

// readToolCall reads what stands in <tool_call>: JSON (Hermes, Qwen), a function
// with parameters (Qwen3-Coder), or a name with keys and values (GLM).
func readToolCall(body string, tools declared) ([]loop.Call, bool) {
	switch {
	case strings.HasPrefix(body, "{") || strings.HasPrefix(body, "["):
		return readJSON(body, tools)
	case strings.HasPrefix(body, "<function="):
		return readFunctions(body, tools)
	}
	return readKeys(body, tools)
}

// readJSON reads calls as JSON objects, one behind the other or in a list.
func readJSON(body string, _ declared) (out []loop.Call, ok bool) {
	whole := []byte(strings.TrimSpace(body))
	for body = string(whole); body != "" && !onlyMarks(body); body = strings.TrimLeft(body, " \t\r\n;,") {
		var v scan
		n, complete := v.feed(whole[len(whole)-len(body):])
		if !complete || len(out) > maxCalls {
			return nil, false
		}
		value := json.RawMessage(body[:n])
		if !json.Valid(value) {
			if value, ok = relax(value); !ok {
				return nil, false
			}
		}
		all := []json.RawMessage{value}
		if value[0] == '[' {
			all = nil
			_ = json.Unmarshal(value, &all) // it is a list
		}
		for _, one := range all {
			c, ok := jsonCall(one)
			if !ok {
				return nil, false
			}
			out = append(out, c)
		}
		body = body[n:]
	}
	return out, true
}

// jsonCall reads a call that is a JSON object with a name and arguments, and
// nothing that it does not know.
func jsonCall(raw json.RawMessage) (loop.Call, bool) {
	var c struct {
		ID         rawText         `json:"id"`
		Type       json.RawMessage `json:"type"`
		Name       rawText         `json:"name"`
		Arguments  arguments       `json:"arguments"`
		Parameters arguments       `json:"parameters"`
		Function   json.RawMessage `json:"function"`
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if raw[0] != '{' || d.Decode(&c) != nil {
		return loop.Call{}, false
	}
	if len(c.Function) > 0 && c.Function[0] == '{' && c.Name == "" {
		return jsonCall(c.Function)
	}
	read(c.Function, &c.Name)
	args, ok := mend(string(c.Arguments.rawText + c.Parameters.rawText))
	return loop.Call{ID: string(c.ID), Name: string(c.Name), Arguments: args}, ok && c.Name != ""
}

var (
	functions = regexp.MustCompile(`(?s)^\s*<function=["']?([\w.-]+)["']?>(.*?)</function>`)
	parameter = regexp.MustCompile(`(?s)^\s*<parameter=["']?([\w.-]+)["']?>(.*?)</parameter>`)
	invoke    = regexp.MustCompile(`(?s)^\s*<invoke\s+name=["']?([\w.-]+)["']?\s*>(.*?)</invoke>`)
	named     = regexp.MustCompile(`(?s)^\s*<parameter\s+name=["']?([\w.-]+)["']?(?:\s+string=["']?(true|false)["']?)?\s*>(.*?)</parameter>`)
	keyValue  = regexp.MustCompile(`(?s)^\s*<arg_key>(.*?)</arg_key>\s*<arg_value>(.*?)</arg_value>`)
	dsml      = regexp.MustCompile(`<(/?)[|｜]+DSML[|｜]+`)
	deepSeek  = regexp.MustCompile(`(?s)^\s*<｜tool▁call▁begin｜>(?:function<｜tool▁sep｜>([^\n<]+)\n|([^\n<]+)<｜tool▁sep｜>)(.*?)<｜tool▁call▁end｜>`)
	kimi      = regexp.MustCompile(`(?s)^\s*<\|tool_call_begin\|>\s*((?:functions\.)?([\w.-]+?)(?::\d+)?)\s*<\|tool_call_argument_begin\|>(.*?)<\|tool_call_end\|>`)
	harmony   = regexp.MustCompile(`(?s)^\s*(?:<\|start\|>assistant)?<\|channel\|>commentary to=(?:functions\.)?([\w.-]+)[^{]*?<\|message\|>(.*)$`)
	mistral   = regexp.MustCompile(`^\s*(?:\[TOOL_CALLS\])?\s*([\w.-]+)(?:\[CALL_ID\]([\w-]+))?(?:\[ARGS\])?\s*`)
)

// readFunctions reads functions with parameters in tags, or with JSON between them.
func readFunctions(body string, tools declared) (out []loop.Call, ok bool) {
	if !strings.Contains(body, "</function>") {
		body += "</function>" // the block ended with it
	}
	for !onlyMarks(body) {
		m := functions.FindStringSubmatch(body)
		if m == nil {
			return nil, false
		}
		args, ok := parameters(m[2], m[1], tools, parameter, 1, 0, 2)
		if !ok {
			if args, ok = mend(m[2]); !ok || strings.TrimSpace(m[2]) == "" {
				return nil, false
			}
		}
		out, body = append(out, loop.Call{Name: m[1], Arguments: args}), body[len(m[0]):]
	}
	return out, true
}

// readInvokes reads calls in <invoke> with <parameter> in them.
func readInvokes(body string, tools declared) (out []loop.Call, ok bool) {
	for !onlyMarks(body) {
		m := invoke.FindStringSubmatch(body)
		if m == nil {
			return nil, false
		}
		args, ok := parameters(m[2], m[1], tools, named, 1, 2, 3)
		if !ok {
			return nil, false
		}
		out, body = append(out, loop.Call{Name: m[1], Arguments: args}), body[len(m[0]):]
	}
	return out, true
}

// readDSML reads DeepSeek's own markup, which is <invoke> with a mark in each tag.
func readDSML(body string, tools declared) ([]loop.Call, bool) {
	body = dsml.ReplaceAllString(body, "<$1")
	if strings.HasPrefix(body, "<invoke") && !strings.Contains(body, "</invoke>") {
		body += "</invoke>" // the block ended with it
	}
	return readInvokes(body, tools)
}

// readKeys reads GLM's form: a name, then keys and values.
func readKeys(body string, tools declared) ([]loop.Call, bool) {
	name, rest := strings.TrimSpace(body), ""
	if i := strings.Index(body, "<arg_key>"); i >= 0 {
		name, rest = strings.TrimSpace(body[:i]), body[i:]
	}
	args, ok := parameters(rest, name, tools, keyValue, 1, 0, 2)
	return []loop.Call{{Name: name, Arguments: args}}, ok
}

// readDeepSeek reads the calls of DeepSeek V3 and R1.
func readDeepSeek(body string, _ declared) (out []loop.Call, ok bool) {
	if !strings.Contains(body, "<｜tool▁call▁end｜>") {
		body += "<｜tool▁call▁end｜>" // the block ended with it
	}
	for !onlyMarks(body) {
		m := deepSeek.FindStringSubmatch(body)
		if m == nil {
			return nil, false
		}
		args, ok := mend(m[3])
		if !ok {
			return nil, false
		}
		out, body = append(out, loop.Call{Name: strings.TrimSpace(m[1] + m[2]), Arguments: args}), body[len(m[0]):]
	}
	return out, true
}

// readKimi reads Kimi's calls, whose ids have the name in them.
func readKimi(body string, _ declared) (out []loop.Call, ok bool) {
	if !strings.Contains(body, "<|tool_call_end|>") {
		body += "<|tool_call_end|>" // the block ended with it
	}
	for !onlyMarks(body) {
		m := kimi.FindStringSubmatch(body)
		if m == nil {
			return nil, false
		}
		args, ok := mend(m[3])
		if !ok {
			return nil, false
		}
		out, body = append(out, loop.Call{ID: m[1], Name: m[2], Arguments: args}), body[len(m[0]):]
	}
	return out, true
}

// readHarmony reads a call of gpt-oss.
func readHarmony(body string, _ declared) ([]loop.Call, bool) {
	m := harmony.FindStringSubmatch(body)
	if m == nil {
		return nil, false
	}
	args, ok := mend(m[2])
	return []loop.Call{{Name: m[1], Arguments: args}}, ok
}

// readMistral reads a list of calls in JSON, or names with their arguments.
func readMistral(body string, tools declared) (out []loop.Call, ok bool) {
	if strings.HasPrefix(body, "[") && !strings.HasPrefix(body, "[TOOL_CALLS]") {
		return readJSON(body, tools)
	}
	for !onlyMarks(body) {
		m := mistral.FindStringSubmatch(body)
		if m == nil {
			return nil, false
		}
		body = body[len(m[0]):]
		var v scan
		n, complete := v.feed([]byte(body))
		if !complete || body[0] != '{' {
			return nil, false
		}
		args, ok := mend(body[:n])
		if !ok {
			return nil, false
		}
		out, body = append(out, loop.Call{ID: m[2], Name: m[1], Arguments: args}), body[n:]
	}
	return out, true
}

// parameters makes arguments of tags: at says where in a match the key stands,
// whether the value is a string, and the value.
func parameters(s, tool string, tools declared, one *regexp.Regexp, key, kind, value int) (json.RawMessage, bool) {
	out := []byte{'{'}
	seen := map[string]bool{}
	for strings.TrimSpace(s) != "" {
		m := one.FindStringSubmatch(s)
		if m == nil {
			return nil, false
		}
		name := strings.TrimSpace(m[key])
		if name == "" || seen[name] {
			return nil, false
		}
		if len(seen) > 0 {
			out = append(out, ',')
		}
		seen[name] = true
		isString := tools.isString(tool, name)
		if kind > 0 && m[kind] != "" {
			isString = m[kind] == "true"
		}
		out = append(append(append(out, quoted(name)...), ':'), typed(m[value], isString)...)
		s = s[len(m[0]):]
	}
	return append(out, '}'), true
}

// typed is a value between tags as JSON. A string stands there as it is, but for
// the line breaks that some templates put around it.
func typed(s string, isString bool) []byte {
	if trimmed := strings.TrimSpace(s); !isString && json.Valid([]byte(trimmed)) {
		return []byte(trimmed)
	}
	if strings.HasPrefix(s, "\n") && strings.HasSuffix(s, "\n") && len(s) > 1 {
		s = s[1 : len(s)-1]
	}
	return quoted(s)
}
