package anthropictest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Body is a request, read.
type Body struct {
	Model       string           `json:"model"`
	MaxTokens   int              `json:"max_tokens"`
	Stream      bool             `json:"stream"`
	Temperature *float64         `json:"temperature"`
	Thinking    *Thinking        `json:"thinking"`
	Tools       []map[string]any `json:"tools"`
	System      []map[string]any `json:"system"`
	Messages    []Message        `json:"messages"`
	ToolChoice  map[string]any   `json:"tool_choice"`
}

// Thinking is how the model is to think.
type Thinking struct {
	Type    string `json:"type"`
	Budget  int    `json:"budget_tokens"`
	Display string `json:"display"`
}

// Message is one message of the conversation.
type Message struct {
	Role    string           `json:"role"`
	Content []map[string]any `json:"content"`
}

// UnmarshalJSON takes text that stands for one block of it, too.
func (m *Message) UnmarshalJSON(raw []byte) error {
	var wire struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&wire); err != nil {
		return err
	}
	m.Role = wire.Role
	var text string
	if json.Unmarshal(wire.Content, &text) == nil {
		m.Content = []map[string]any{{"type": "text", "text": text}}
		return nil
	}
	return json.Unmarshal(wire.Content, &m.Content)
}

// versions are those of the API. The newer one takes no sampling any more; what it
// answers is the same here.
var versions = []string{"2023-06-01", "2026-10-21"}

var (
	idPattern   = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
	namePattern = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)
)

func bad(format string, args ...any) *Refusal {
	return &Refusal{400, "invalid_request_error", fmt.Sprintf(format, args...)}
}

// check says why a request is refused, nil where it is not.
func (s *Server) check(r *Request) *Refusal {
	key := r.Header.Get("X-Api-Key")
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && key == "" {
		key = bearer // as its newest client shows it
	}
	switch {
	case s.Lenient:
		_ = json.Unmarshal(r.Raw, &r.Body)
		return nil
	case key == "" || (s.Key != "" && key != s.Key):
		return &Refusal{401, "authentication_error", "invalid x-api-key"}
	case r.Header.Get("Anthropic-Version") == "":
		return bad("anthropic-version: header is required")
	case !slices.Contains(versions, r.Header.Get("Anthropic-Version")):
		return bad(`anthropic-version: "%s" is not a valid version`, r.Header.Get("Anthropic-Version"))
	}
	d := json.NewDecoder(bytes.NewReader(r.Raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&r.Body); err != nil {
		return bad("%v: Extra inputs are not permitted, or the body is no JSON", err)
	}
	if r.Body.Temperature != nil && r.Header.Get("Anthropic-Version") != versions[0] {
		return bad("`temperature` is not supported in this version of the API.")
	}
	for _, rule := range []func(*Body) *Refusal{s.settings, marks, tools, roles, blocks, images, calls, s.thoughts} {
		if f := rule(&r.Body); f != nil {
			return f
		}
	}
	return nil
}

func (s *Server) settings(b *Body) *Refusal {
	most := s.MaxTokens
	if most == 0 {
		most = 128_000
	}
	thinks := b.Thinking != nil && b.Thinking.Type != "disabled"
	switch {
	case b.Model == "":
		return bad("model: Field required")
	case b.MaxTokens < 1:
		return bad("max_tokens: Input should be greater than or equal to 1")
	case b.MaxTokens > most:
		return bad("max_tokens: %d > %d, which is the maximum allowed number of output tokens for %s", b.MaxTokens, most, b.Model)
	case b.Temperature != nil && s.NoSampling:
		return bad("`temperature` is deprecated for this model.")
	case b.Temperature != nil && (*b.Temperature < 0 || *b.Temperature > 1):
		return bad("temperature: range: 0..1")
	case b.Temperature != nil && *b.Temperature != 1 && thinks:
		return bad("`temperature` may only be set to 1 when thinking is enabled.")
	case b.Thinking != nil && !slices.Contains([]string{"adaptive", "enabled", "disabled"}, b.Thinking.Type):
		return bad("thinking: Input tag '%s' found using 'type' does not match any of the expected tags", b.Thinking.Type)
	case b.Thinking != nil && b.Thinking.Type == "enabled" && b.Thinking.Budget < 1024:
		return bad("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
	case b.Thinking != nil && b.Thinking.Budget >= b.MaxTokens:
		return bad("`max_tokens` must be greater than `thinking.budget_tokens`.")
	case b.ToolChoice != nil && len(b.Tools) == 0:
		return bad("tool_choice may only be specified while providing tools.")
	case thinks && b.ToolChoice != nil && (b.ToolChoice["type"] == "any" || b.ToolChoice["type"] == "tool"):
		return bad("Thinking may not be enabled when tool_choice forces tool use.")
	case b.ToolChoice != nil && b.ToolChoice["type"] == "tool" && !slices.ContainsFunc(b.Tools, func(t map[string]any) bool { return t["name"] == b.ToolChoice["name"] }):
		return bad("Tool '%v' not found in provided tools", b.ToolChoice["name"])
	case b.ToolChoice != nil && b.ToolChoice["type"] == "none" && len(b.ToolChoice) > 1:
		return bad("tool_choice.none.disable_parallel_tool_use: Extra inputs are not permitted")
	}
	return nil
}

func marks(b *Body) *Refusal {
	n := 0
	count := func(blocks []map[string]any) *Refusal {
		for _, x := range blocks {
			if _, has := x["cache_control"]; has {
				if kind := x["type"]; kind == "thinking" || kind == "redacted_thinking" {
					return bad("%v.cache_control: Extra inputs are not permitted", kind)
				}
				n++
			}
		}
		return nil
	}
	all := [][]map[string]any{b.Tools, b.System}
	for _, m := range b.Messages {
		all = append(all, m.Content)
	}
	for _, blocks := range all {
		if f := count(blocks); f != nil {
			return f
		}
	}
	if n > 4 {
		return bad("A maximum of 4 blocks with cache_control may be provided. Found %d.", n)
	}
	return nil
}

func tools(b *Body) *Refusal {
	seen := map[string]bool{}
	for i, t := range b.Tools {
		name, _ := t["name"].(string)
		schema, _ := t["input_schema"].(map[string]any)
		switch {
		case !namePattern.MatchString(name):
			return bad("tools.%d.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'", i)
		case seen[name]:
			return bad("tools: Tool names must be unique.")
		case schema["type"] != "object":
			return bad("tools.%d.custom.input_schema.type: Input should be 'object'", i)
		case schema["oneOf"] != nil || schema["allOf"] != nil || schema["anyOf"] != nil:
			return bad("tools.%d.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level", i)
		}
		seen[name] = true
	}
	return nil
}

func roles(b *Body) *Refusal {
	if len(b.Messages) == 0 {
		return bad("messages: at least one message is required")
	}
	for i, m := range b.Messages {
		switch {
		case m.Role != "user" && m.Role != "assistant":
			return bad("messages.%d.role: Input should be 'user' or 'assistant'", i)
		case i == 0 && m.Role != "user":
			return bad("messages: first message must use the \"user\" role")
		case i > 0 && m.Role == b.Messages[i-1].Role:
			return bad("messages: roles must alternate between \"user\" and \"assistant\", but found multiple \"%s\" roles in a row", m.Role)
		case len(m.Content) == 0:
			return bad("messages.%d: all messages must have non-empty content except for the optional final assistant message", i)
		}
	}
	last := b.Messages[len(b.Messages)-1]
	if last.Role == "assistant" && !strings.HasPrefix(kind(last.Content[len(last.Content)-1]), "server_") && !strings.HasSuffix(kind(last.Content[len(last.Content)-1]), "_tool_result") {
		return bad("This model does not support assistant message prefill. The conversation must end with a user message.")
	}
	return nil
}

func kind(block map[string]any) string {
	s, _ := block["type"].(string)
	return s
}

func blocks(b *Body) *Refusal {
	check := func(where string, x map[string]any) *Refusal {
		if kind(x) != "text" {
			return nil
		}
		switch s, ok := x["text"].(string); {
		case !ok:
			return bad("%s.text.text: Input should be a valid string", where)
		case s == "":
			return bad("%s: text content blocks must be non-empty", strings.SplitN(where, ".", 2)[0])
		case strings.TrimSpace(s) == "":
			return bad("%s: text content blocks must contain non-whitespace text", strings.SplitN(where, ".", 2)[0])
		}
		return nil
	}
	for i, x := range b.System {
		if f := check(fmt.Sprintf("system.%d", i), x); f != nil {
			return f
		}
	}
	for i, m := range b.Messages {
		for k, x := range m.Content {
			where := fmt.Sprintf("messages.%d.content.%d", i, k)
			if kind(x) == "" {
				return bad("%s: Input tag '' found using 'type' does not match any of the expected tags", where)
			}
			if f := check(where, x); f != nil {
				return f
			}
		}
	}
	return nil
}

func calls(b *Body) *Refusal {
	seen, used := map[string]bool{}, false
	for i, m := range b.Messages {
		var open []string
		for k, x := range m.Content {
			where := fmt.Sprintf("messages.%d.content.%d.tool_use", i, k)
			id, _ := x["id"].(string)
			name, _ := x["name"].(string)
			_, isObject := x["input"].(map[string]any)
			if used = used || kind(x) == "tool_use" || kind(x) == "tool_result"; kind(x) != "tool_use" {
				continue
			}
			switch {
			case m.Role != "assistant":
				return bad("messages.%d: `tool_use` blocks can only be in `assistant` messages", i)
			case !idPattern.MatchString(id):
				return bad("%s.id: String should match pattern '^[a-zA-Z0-9_-]+$'", where)
			case seen[id]:
				return bad("messages.%d.content.%d: `tool_use` ids must be unique", i, k)
			case !namePattern.MatchString(name):
				return bad("%s.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'", where)
			case !isObject:
				return bad("%s.input: Input should be a valid dictionary", where)
			}
			seen[id] = true
			open = append(open, id)
		}
		if f := results(b, i, open); f != nil {
			return f
		}
	}
	if used && len(b.Tools) == 0 {
		return bad("Requests which include `tool_use` or `tool_result` blocks must define tools")
	}
	return nil
}

// results checks that all calls of a message have their results at the head of the
// next one, and that these are the only ones there.
func results(b *Body, i int, open []string) *Refusal {
	if m := b.Messages[i]; i == 0 && m.Role == "user" {
		for _, x := range m.Content {
			if kind(x) == "tool_result" {
				return bad("messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: %v. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.", x["tool_use_id"])
			}
		}
	}
	if b.Messages[i].Role != "assistant" || i+1 >= len(b.Messages) {
		return nil
	}
	missing, behind := slices.Clone(open), false
	for k, x := range b.Messages[i+1].Content {
		if kind(x) != "tool_result" {
			behind = true
			continue
		}
		id, _ := x["tool_use_id"].(string)
		at := slices.Index(missing, id)
		if at < 0 {
			return bad("messages.%d.content.%d: unexpected `tool_use_id` found in `tool_result` blocks: %s. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.", i+1, k, id)
		}
		if !behind {
			missing = slices.Delete(missing, at, at+1)
		}
	}
	if len(missing) > 0 {
		return bad("messages.%d: `tool_use` ids were found without `tool_result` blocks immediately after: %s. Each `tool_use` block must have a corresponding `tool_result` block in the next message.", i, strings.Join(missing, ", "))
	}
	return nil
}
