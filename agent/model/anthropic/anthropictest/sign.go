package anthropictest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
)

var signingKey = []byte("a key that only the provider has")

// sign signs a thinking block: its text, and what stands before it.
func sign(thinking, before string) string {
	mac := hmac.New(sha256.New, signingKey)
	mac.Write([]byte(before + "\x00" + thinking))
	return before + "." + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// before sums up what stands before a message of a request: the system text, the
// tools and all blocks of the messages, whatever their cache marks.
func before(b *Body, message int) string {
	h := sha256.New()
	add := func(role string, x map[string]any) {
		bare := map[string]any{}
		for k, v := range x {
			if k != "cache_control" {
				bare[k] = v
			}
		}
		j, err := json.Marshal(bare)
		if err != nil {
			return
		}
		h.Write(append([]byte(role), j...))
	}
	for _, x := range b.System {
		add("system", x)
	}
	for _, x := range b.Tools {
		add("tool", x)
	}
	for _, m := range b.Messages[:message] {
		for _, x := range m.Content {
			add(m.Role, x)
		}
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil)[:9])
}

// thoughts checks the thinking that comes back.
func (s *Server) thoughts(b *Body) *Refusal {
	for i, m := range b.Messages {
		for k, x := range m.Content {
			switch kind(x) {
			case "redacted_thinking":
				if data, _ := x["data"].(string); !strings.HasPrefix(data, "redacted:") {
					return bad("messages.%d.content.%d: Invalid `data` in `redacted_thinking` block", i, k)
				}
			case "thinking":
				text, _ := x["thinking"].(string)
				signature, _ := x["signature"].(string)
				bound, _, _ := strings.Cut(signature, ".")
				switch {
				case sign(text, bound) != signature:
					return bad("messages.%d.content.%d: Invalid `signature` in `thinking` block", i, k)
				case s.Bind && bound != before(b, i):
					return bad("messages.%d.content.%d: Invalid `signature` in `thinking` block. The block is bound to a different conversation. Remove the block.", i, k)
				}
			default:
				continue
			}
			if k == len(m.Content)-1 {
				return bad("messages.%d: The final block in an assistant message cannot be `thinking`.", i)
			}
		}
	}
	if n := len(b.Messages); b.Thinking != nil && b.Thinking.Type == "enabled" && n > 1 && kind(b.Messages[n-1].Content[0]) == "tool_result" {
		if at := kind(b.Messages[n-2].Content[0]); at != "thinking" && at != "redacted_thinking" {
			return bad("messages.%d.content.0.type: Expected `thinking` or `redacted_thinking`, but found `%s`. When `thinking` is enabled, a final `assistant` message must start with a thinking block.", n-2, at)
		}
	}
	return nil
}
