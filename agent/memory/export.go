package memory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Export gives all items, newest first, as the original did: "json", an indented
// array, or "md", by day. The second result is the media type.
func (s *Store) Export(format string) (body []byte, mediaType string, err error) {
	switch format {
	case "json":
		body, err = exportJSON(s.Recent(s.Len()))
		return body, "application/json; charset=utf-8", err
	case "md":
		return exportMarkdown(s.Recent(s.Len())), "text/markdown; charset=utf-8", nil
	}
	return nil, "", invalid("the format "+quote(format)+" is unknown", "use json or md")
}

func exportJSON(items []Item) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false) // JavaScript does not, and people read this
	enc.SetIndent("", "  ")
	if err := enc.Encode(items); err != nil {
		return nil, fault.Internal(fmt.Errorf("writing the export: %w", err))
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

func exportMarkdown(items []Item) []byte {
	var out strings.Builder
	out.WriteString("# 记忆导出\n")
	day := ""
	for _, i := range items {
		if d := i.Timestamp.UTC().Format(time.DateOnly); d != day {
			day = d
			out.WriteString("\n## " + day + "\n")
		}
		out.WriteString("\n### " + i.Timestamp.String() + "\n" + properties(i) + "\n" + i.Content + "\n")
	}
	return []byte(out.String())
}
