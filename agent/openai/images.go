package openai

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// imageOnly are the words of a message that has none.
const imageOnly = "(image)"

// content is a message's content: a string, or parts of text and images.
func (m wireMessage) content() (text string, images [][]byte, err error) {
	content := bytes.TrimSpace(m.Content)
	if len(content) == 0 || string(content) == "null" {
		return "", nil, nil
	}
	if json.Unmarshal(content, &text) == nil {
		return text, nil, nil
	}
	var parts []struct {
		Type, Text string
		Image      imageURL `json:"image_url"`
	}
	if json.Unmarshal(content, &parts) != nil {
		return "", nil, errors.New("content is neither text nor a list of parts")
	}
	var all strings.Builder
	for _, p := range parts {
		switch p.Type {
		case "text", "input_text", "output_text":
			all.WriteString(p.Text)
		case "image_url", "input_image":
			image, err := p.Image.data()
			if err != nil {
				return "", nil, err
			}
			images = append(images, image)
		default:
			return "", nil, fmt.Errorf("content of the type %q is not served here", p.Type)
		}
	}
	return all.String(), images, nil
}

// imageURL is an image's address: an object that holds it, or the address itself.
type imageURL string

// UnmarshalJSON takes both forms.
func (u *imageURL) UnmarshalJSON(b []byte) error {
	var o struct{ URL string }
	var s string
	if json.Unmarshal(b, &s) == nil {
		o.URL = s
	} else if err := json.Unmarshal(b, &o); err != nil {
		return err
	}
	*u = imageURL(o.URL)
	return nil
}

// data is the image that stands in the address itself. What lies elsewhere is not
// fetched: whoever may ask the agent could have it read any address then.
func (u imageURL) data() ([]byte, error) {
	const scheme = "data:"
	if len(u) < len(scheme) || !strings.EqualFold(string(u[:len(scheme)]), scheme) {
		return nil, errors.New("an image_url with an address is not served here")
	}
	head, data, ok := strings.Cut(string(u[len(scheme):]), ",")
	if !ok || !strings.HasSuffix(strings.ToLower(head), ";base64") {
		return nil, errors.New("a data: URI without base64 is not served here")
	}
	body, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(data), ""))
	if err != nil {
		body, err = base64.RawStdEncoding.DecodeString(data)
	}
	if err != nil || len(body) == 0 {
		return nil, errors.New("a data: URI whose base64 cannot be read is not served here")
	}
	return body, nil
}
