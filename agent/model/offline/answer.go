package offline

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// reply answers what needs no tool, or has none.
func (t *turn) reply(i intent) string {
	switch i.kind {
	case kindSum:
		return t.sum(i.text)
	case kindHello:
		return t.w.hello
	case kindWho:
		return t.w.who
	case kindThanks:
		return t.w.thanks
	}
	switch i.tool {
	case toolTime:
		now := t.now()
		return fmt.Sprintf(t.w.timeIs, now.Format("2006-01-02 15:04:05"), now.Location())
	case toolSearch:
		return t.recall(nil)
	case "":
		return t.w.other
	}
	return fmt.Sprintf(t.w.noTool, i.tool)
}

func (t *turn) sum(expr string) string {
	v, err := Sum(expr)
	switch {
	case err == nil:
		return fmt.Sprintf(t.w.sum, expr, v)
	case errors.Is(err, errZero):
		return t.w.sumZero
	case errors.Is(err, errBig):
		return t.w.sumBig
	}
	return t.w.sumBad
}

// report answers out of what the tools said.
func (t *turn) report() string {
	parts := make([]string, 0, len(t.results))
	for _, r := range t.results {
		parts = append(parts, t.tell(r))
	}
	return strings.Join(parts, "\n\n")
}

// tell puts one result into words.
func (t *turn) tell(r loop.Message) string {
	for _, status := range []string{chat.ToolDenied, chat.ToolSkipped} {
		if why, ok := strings.CutPrefix(r.Text, status+": "); ok {
			return fmt.Sprintf(t.w.denied, why)
		}
	}
	if why, ok := strings.CutPrefix(r.Text, chat.ToolError+": "); ok {
		return fmt.Sprintf(t.w.failed, why)
	}
	r.Text = loop.Unfenced(r.Text) // not before: what a tool gave may begin as a failure does
	switch r.Name {
	case toolTime:
		return t.tellTime(r.Text)
	case toolList:
		return t.tellList(r.Text)
	case toolRead:
		if strings.TrimSpace(r.Text) == "" {
			return t.w.blank
		}
		return t.w.read + fence(r.Text)
	case toolWrite:
		return t.tellWrite(r.Text)
	case toolSave:
		return t.tellSave(r.Text)
	case toolSearch:
		return t.tellSearch(r.Text)
	case toolShell:
		return t.tellShell(r.Text)
	}
	return fmt.Sprintf(t.w.result, r.Name) + fence(r.Text)
}

// fence shows text as it is. Its fence is longer than any in the text.
func fence(s string) string {
	f := "```"
	for strings.Contains(s, f) {
		f += "`"
	}
	return f + "\n" + strings.TrimRight(s, "\n") + "\n" + f
}

func (t *turn) tellTime(text string) string {
	var r struct {
		Formatted string `json:"formatted"`
		Timezone  string `json:"timezone"`
	}
	if json.Unmarshal([]byte(text), &r) != nil || r.Formatted == "" {
		return fmt.Sprintf(t.w.result, toolTime) + fence(text)
	}
	return fmt.Sprintf(t.w.timeIs, r.Formatted, r.Timezone)
}

func (t *turn) tellList(text string) string {
	var entries []struct {
		Name string `json:"name"`
		Type string `json:"type"`
	}
	if json.Unmarshal([]byte(text), &entries) != nil {
		return t.w.list + fence(text)
	}
	if len(entries) == 0 {
		return t.w.empty
	}
	var b strings.Builder
	b.WriteString(t.w.list)
	for _, e := range entries {
		switch e.Type {
		case "directory":
			fmt.Fprintf(&b, "- `%s/` (%s)\n", e.Name, t.w.dir)
		case "file":
			fmt.Fprintf(&b, "- `%s`\n", e.Name)
		default:
			fmt.Fprintf(&b, "- %s\n", e.Name)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

func (t *turn) tellWrite(text string) string {
	var r struct {
		Path string `json:"path"`
	}
	if json.Unmarshal([]byte(text), &r) != nil || r.Path == "" {
		r.Path = understand(t.said).text
	}
	return fmt.Sprintf(t.w.wrote, "`"+strings.TrimPrefix(r.Path, "./workspace/")+"`")
}

func (t *turn) tellSave(text string) string {
	var r struct {
		Content string `json:"content"`
	}
	if json.Unmarshal([]byte(text), &r) != nil || r.Content == "" {
		r.Content = understand(t.said).text
	}
	return fmt.Sprintf(t.w.saved, r.Content)
}

func (t *turn) tellSearch(text string) string {
	var items []struct {
		Content string `json:"content"`
	}
	if json.Unmarshal([]byte(text), &items) != nil {
		var wrapped struct {
			Results []struct {
				Content string `json:"content"`
			} `json:"results"`
		}
		if json.Unmarshal([]byte(text), &wrapped) == nil {
			items = wrapped.Results
		}
	}
	found := make([]string, 0, len(items))
	for _, i := range items {
		found = append(found, i.Content)
	}
	return t.recall(found)
}

func (t *turn) tellShell(text string) string {
	var r struct {
		Stdout   string  `json:"stdout"`
		Stderr   *string `json:"stderr"`
		ExitCode int     `json:"exitCode"`
	}
	if json.Unmarshal([]byte(text), &r) != nil {
		return t.w.ran + fence(text)
	}
	out := r.Stdout
	if r.Stderr != nil && *r.Stderr != "" {
		out = strings.TrimRight(out, "\n") + "\n" + *r.Stderr
	}
	said := t.w.ranQuiet
	if strings.TrimSpace(out) != "" {
		said = t.w.ran + fence(strings.TrimLeft(out, "\n"))
	}
	if r.ExitCode != 0 {
		said += fmt.Sprintf(t.w.exit, r.ExitCode)
	}
	return said
}
