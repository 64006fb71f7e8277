package fakeprovider

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var legalName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// refusal says why the real providers refuse a request, "" where they take it: each
// call has one result right behind it, each result its call, names are legal and
// declared once, and nothing is to be called that is not declared.
func (b *body) refusal() string {
	for _, check := range []func() string{b.tools, b.results} {
		if why := check(); why != "" {
			return why
		}
	}
	return ""
}

func (b *body) tools() string {
	var names []string
	for i, t := range b.Tools {
		switch {
		case !legalName.MatchString(t.Function.Name):
			return fmt.Sprintf("Invalid 'tools[%d].function.name': string does not match pattern", i)
		case slices.Contains(names, t.Function.Name):
			return "Tool names must be unique."
		}
		names = append(names, t.Function.Name)
	}
	var named struct {
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	}
	switch {
	case len(b.Choice) == 0:
	case len(names) == 0:
		return "'tool_choice' is only allowed when 'tools' are specified."
	case json.Unmarshal(b.Choice, &named) == nil && !slices.Contains(names, named.Function.Name):
		return fmt.Sprintf("Tool choice '%s' not found in 'tools' parameter.", named.Function.Name)
	}
	return ""
}

func (b *body) results() string {
	var open, closed []string
	missing := func() string {
		if len(open) == 0 {
			return ""
		}
		return "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. These did not have response messages: " + strings.Join(open, ", ")
	}
	for i, m := range b.Messages {
		if m.Role == "tool" {
			at := slices.Index(open, m.ToolCallID)
			switch {
			case slices.Contains(closed, m.ToolCallID):
				return fmt.Sprintf("messages[%d]: duplicate response for 'tool_call_id'", i)
			case at < 0:
				return "Messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
			}
			closed, open = append(closed, m.ToolCallID), slices.Delete(open, at, at+1)
			continue
		}
		if why := missing(); why != "" {
			return why
		}
		closed = nil
		for _, c := range m.ToolCalls {
			if c.ID == "" || slices.Contains(open, c.ID) || !legalName.MatchString(c.Function.Name) {
				return fmt.Sprintf("Invalid 'messages[%d].tool_calls': an id or a name that is not legal", i)
			}
			open = append(open, c.ID)
		}
	}
	return missing()
}
