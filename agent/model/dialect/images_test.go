package dialect_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/dialect"
	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

func picture(t testing.TB, name string, side int) loop.Attached {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, side, side))); err != nil {
		t.Fatal(err)
	}
	return loop.Attached{Name: name, MediaType: "image/png", Shown: loop.Shown{MediaType: "image/png", Size: b.Len(), Width: side, Height: side, Data: b.Bytes()}}
}

var paper = loop.Attached{Name: "a.pdf", MediaType: "application/pdf", Shown: loop.Shown{Hash: "h", MediaType: "text/plain", Size: 4, Data: []byte("what")}}

func ofRow(provider string) dialect.Rules {
	return dialect.Of(provider, "m", &url.URL{Host: "unknown"})
}

// TestImagesGoToWhoSees sends conversations with images to every strict provider: those
// that see get all of them, the others a line for each, and nobody refuses.
func TestImagesGoToWhoSees(t *testing.T) {
	q := loop.Question{System: "persona", Messages: []loop.Message{
		{Role: chat.RoleUser, Text: "look", Context: "[a day]", Attached: []loop.Attached{picture(t, "a.png", 20), paper, picture(t, "b.png", 30)}},
		{Role: chat.RoleUser, Text: "and", Attached: []loop.Attached{picture(t, "c.png", 40)}},
		{Role: chat.RoleAssistant, Text: "gray"},
		{Role: chat.RoleUser, Text: " ", Attached: []loop.Attached{picture(t, "d.png", 50)}},
		{Role: chat.RoleAssistant, Text: "gray"},
		{Role: chat.RoleUser, Text: "again"},
		{Role: chat.RoleUser, Text: "last", Attached: []loop.Attached{{Name: "e.png", MediaType: "image/png", Problem: "it is damaged or cut off"}}},
	}}
	for _, g := range targets {
		provider := g.strict
		for _, sees := range []bool{true, false} {
			if sees && (provider == "deepseek" || provider == "cerebras") {
				continue
			}
			a := g.asked()
			a.Sees = sees
			body := dialect.Request(q, a, dialect.Options{})
			if why := g.refused(t, q, a); why != "" {
				t.Errorf("%s refuses: %s", provider, why)
			}
			want := 0
			if sees {
				want = 4
			}
			if n := bytes.Count(body, []byte(`"type":"image_url"`)); n != want {
				t.Errorf("%s, sees %v: %d images in the request, want %d", provider, sees, n, want)
			}
			for _, line := range []string{`the image \"a.png\" (image/png, 20 × 20 pixels).`, `the file \"a.pdf\" (application/pdf)`, `the file \"e.png\" (image/png). Nothing of it can be shown: it is damaged or cut off.`, "what"} {
				if !bytes.Contains(body, []byte(line)) {
					t.Errorf("%s, sees %v: %q is missing in %s", provider, sees, line, body)
				}
			}
			if blind := bytes.Count(body, []byte("does not see images")); blind != 4-want {
				t.Errorf("%s, sees %v: %d lines say so", provider, sees, blind)
			}
			if a, b := bytes.Index(body, []byte("a.png")), bytes.Index(body, []byte("look")); a > b {
				t.Errorf("%s: the words stand before the image", provider)
			}
		}
	}
}

// TestAConversationWithoutImagesIsAsItWas: content stays a text, so that what providers
// keep of a conversation is found again.
func TestAConversationWithoutImagesIsAsItWas(t *testing.T) {
	q := loop.Question{Messages: []loop.Message{{Role: chat.RoleUser, Text: "hi", Context: "[a day]"}}}
	a := dialect.Asked{Provider: "openai", Rules: ofRow("openai"), Sees: true}
	if got := string(dialect.Messages(q, a)[0]); got != `{"role":"user","content":"[a day]\n\nhi"}` {
		t.Errorf("got %s", got)
	}
}

// TestTheBeginningStaysTheSame: what was sent before comes again byte for byte, while
// there is room for all images, and for many turns behind that.
func TestTheBeginningStaysTheSame(t *testing.T) {
	a := dialect.Asked{Provider: "mistral", Rules: ofRow("mistral"), Sees: true}
	var q loop.Question
	var before []json.RawMessage
	breaks := 0
	for turn := range 30 {
		q.Messages = append(q.Messages, loop.Message{Role: chat.RoleUser, Text: "look", Attached: []loop.Attached{picture(t, "a.png", 20+turn)}})
		now := dialect.Messages(q, a)
		if r, refused := modeltest.Refuse("mistral", dialect.Request(q, a, dialect.Options{})); refused {
			t.Fatalf("turn %d: %s", turn, r.Body)
		}
		if !slices.EqualFunc(before, now[:len(before)], func(x, y json.RawMessage) bool { return bytes.Equal(x, y) }) {
			breaks++
		}
		before = now
		q.Messages = append(q.Messages, loop.Message{Role: chat.RoleAssistant, Text: "gray"})
	}
	if breaks > 6 || breaks == 0 {
		t.Errorf("the beginning changed %d times in 30 turns, want every fourth turn at most once it is full", breaks)
	}
	for i := range q.Messages {
		if len(q.Messages[i].Attached) > 0 && q.Messages[i].Attached[0].Shown.Left {
			t.Fatal("the conversation itself was changed")
		}
	}
	if last := string(before[len(before)-1]); !strings.Contains(last, "image_url") {
		t.Error("the newest image is not there")
	}
}
