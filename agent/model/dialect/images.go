package dialect

import (
	"encoding/base64"
	"encoding/json"
	"slices"

	"github.com/loongclaw/loongclaw/agent/loop"
)

// part is a text or an image of a user's message.
type part struct {
	text  string
	image *loop.Shown
}

// spoken is what the user's side says with a message: what the agent adds, the files
// that stand with it, the user's words. Without an image all of it is one text.
func (a *Asked) spoken(m *loop.Message) (lead []part, text string) {
	text = m.Context
	for i := range m.Attached {
		f := &m.Attached[i]
		text = join(text, f.Text(a.Sees))
		if a.Sees && f.Visible() {
			lead = append(lead, part{text: text}, part{image: &f.Shown})
			text = ""
		}
	}
	return lead, join(text, m.Text)
}

// goOn joins another message of the user's side to this one.
func (m *message) goOn(text string, lead []part) {
	switch {
	case len(lead) == 0:
		m.text = join(m.text, text)
	case len(m.lead) == 0:
		lead = slices.Clone(lead)
		lead[0].text = join(m.text, lead[0].text) // a line always precedes an image
		m.lead, m.text = lead, text
	default:
		if !blank(m.text) {
			m.lead = append(slices.Clip(m.lead), part{text: m.text})
		}
		m.lead, m.text = append(slices.Clip(m.lead), lead...), text
	}
}

// parts writes a content that holds images.
func (m *message) parts() json.RawMessage {
	var all []json.RawMessage
	words := func(s string) {
		if !blank(s) {
			all = append(all, object{}.text("type", "text").text("text", s).bytes())
		}
	}
	for _, p := range m.lead {
		if p.image == nil {
			words(p.text)
			continue
		}
		url := "data:" + p.image.MediaType + ";base64," + base64.StdEncoding.EncodeToString(p.image.Data)
		all = append(all, object{}.text("type", "image_url").raw("image_url", object{}.text("url", url).bytes()).bytes())
	}
	words(m.text)
	return array(all)
}

// limited leaves out the oldest images where a provider takes fewer than others.
func limited(messages []loop.Message, r *Rules) []loop.Message {
	if r.Images == 0 && r.ImageBytes == 0 {
		return messages
	}
	most, bytes := r.Images, r.ImageBytes
	if most == 0 {
		most = loop.MaxImages
	}
	if bytes == 0 {
		bytes = loop.MaxImageBytes
	}
	out := slices.Clone(messages)
	for i := range out {
		out[i].Attached = slices.Clone(out[i].Attached)
	}
	loop.LimitImages(out, most, bytes)
	return out
}
