package anthropic

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/png"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/anthropic/anthropictest"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

func picture(t testing.TB, name string) loop.Attached {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 20, 20))); err != nil {
		t.Fatal(err)
	}
	return loop.Attached{Name: name, MediaType: "image/png", Shown: loop.Shown{MediaType: "image/png", Size: b.Len(), Width: 20, Height: 20, Data: b.Bytes()}}
}

// TestImagesAreBlocks: behind the line that names each, before the user's words; a
// model that does not see gets the line alone. The next request begins with the same.
func TestImagesAreBlocks(t *testing.T) {
	q := loop.Question{Messages: []loop.Message{
		{Role: chat.RoleUser, Text: "look", Context: "[a day]", Attached: []loop.Attached{picture(t, "a.png"), {Name: "b.gif", MediaType: "image/gif", Problem: "it is empty"}}},
	}}
	data := base64.StdEncoding.EncodeToString(q.Messages[0].Attached[0].Shown.Data)
	for sees, want := range map[bool][]string{
		true:  {"[a day]", `[Attached by the user: the image "a.png" (image/png, 20 × 20 pixels).]`, "image/png " + data, `[Attached by the user: the file "b.gif" (image/gif). Nothing of it can be shown: it is empty.]`, "look"},
		false: {"[a day]", `[Attached by the user: the image "a.png" (image/png, 20 × 20 pixels). This model does not see images: it cannot say what is on it.]`, `[Attached by the user: the file "b.gif" (image/gif). Nothing of it can be shown: it is empty.]`, "look"},
	} {
		s := &anthropictest.Server{}
		m := start(t, s, Config{Vision: sees})
		fine(t, m, q)
		var got []string
		for _, b := range s.Last().Body.Messages[0].Content {
			if source, ok := b["source"].(map[string]any); ok {
				got = append(got, source["media_type"].(string)+" "+source["data"].(string))
				continue
			}
			got = append(got, b["text"].(string))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("sees %v (-want +got):\n%s", sees, d)
		}
		first := converse(&q, m.recipient(), true)
		longer := q
		longer.Messages = append(longer.Messages[:1:1], loop.Message{Role: chat.RoleAssistant, Text: "gray"}, loop.Message{Role: chat.RoleUser, Text: "and now?"})
		if d := cmp.Diff(first.messages, converse(&longer, m.recipient(), true).messages[:1]); d != "" {
			t.Errorf("sees %v: the beginning is another:\n%s", sees, d)
		}
	}
}

// TestTheFakeRefusesImages as the real one does: what is no base64, of no type that it
// takes, or not of the type that it says.
func TestTheFakeRefusesImages(t *testing.T) {
	good := base64.StdEncoding.EncodeToString(picture(t, "a").Shown.Data)
	for source, says := range map[string]string{
		`{"type":"base64","media_type":"image/png","data":"` + good + `"}`:                       "",
		`{"type":"base64","media_type":"image/jpeg","data":"` + good + `"}`:                      "does not match",
		`{"type":"base64","media_type":"image/heic","data":"` + good + `"}`:                      "media_type",
		`{"type":"base64","media_type":"image/png","data":"` + good[1:] + `"}`:                   "base64",
		`{"type":"base64","media_type":"image/png","data":"` + good[:8] + `"}`:                   "process image",
		`{"type":"base64","media_type":"image/png","data":""}`:                                   "base64",
		`{"type":"base64","media_type":"image/png","data":"data:,` + good + `"}`:                 "base64",
		`{"type":"file","media_type":"image/png","data":"` + good + `"}`:                         "expected tags",
		`{"type":"base64","media_type":"image/png","data":"` + strings.Repeat("A", 6<<20) + `"}`: "5 MB",
	} {
		s := &anthropictest.Server{}
		body := `{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":[{"type":"image","source":` + source + `},{"type":"text","text":"x"}]}]}`
		r := httptest.NewRequest("POST", "/v1/messages", strings.NewReader(body))
		r.Header.Set("X-Api-Key", key)
		r.Header.Set("Anthropic-Version", "2023-06-01")
		s.ServeHTTP(httptest.NewRecorder(), r)
		refused := s.Last().Refused
		if (refused == "") != (says == "") || !strings.Contains(refused, says) {
			t.Errorf("%.90s: refused with %q, want %q", source, refused, says)
		}
	}
}
