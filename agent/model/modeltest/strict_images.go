package modeltest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	_ "image/jpeg" // the kinds that are sent
	_ "image/png"
	"strings"
)

// readParts reads a content that is a list.
func readParts(raw json.RawMessage, text *string) (images []string, fault string) {
	var parts []struct {
		Type  string
		Text  *string
		Image *struct{ URL string } `json:"image_url"`
	}
	if json.Unmarshal(raw, &parts) != nil || len(parts) == 0 {
		return nil, "Invalid value for 'content': expected a string or a list of parts."
	}
	for i, p := range parts {
		switch {
		case p.Type == "text" && p.Text != nil:
			if blank(*p.Text) {
				return nil, fmt.Sprintf("content[%d]: text content blocks must be non-empty", i)
			}
			*text += *p.Text
		case p.Type == "image_url" && p.Image != nil && p.Image.URL != "":
			images = append(images, p.Image.URL)
		default:
			return nil, fmt.Sprintf("content[%d]: unknown variant `%s`, expected `text` or `image_url`", i, p.Type)
		}
	}
	return images, ""
}

// The most careful providers' limits of an image and of a request.
const (
	mostImage  = 5 << 20 // of base64
	mostImages = 20
	mostEdge   = 2000
	leastEdge  = 11
	mostBase64 = 20 << 20
)

// checkImages refuses what is no image, or not what it says that it is.
func checkImages(q *sent, p *strict) string {
	count, size := 0, 0
	for i, m := range q.messages {
		if len(m.images) > 0 && (m.role != "user" || p.blind) {
			return fmt.Sprintf("messages[%d]: unknown variant `image_url`, expected `text`", i)
		}
		for _, url := range m.images {
			if fault := checkImage(url); fault != "" {
				return fmt.Sprintf("messages[%d]: %s", i, fault)
			}
			count, size = count+1, size+len(url)
		}
	}
	most, bytes := mostImages, mostBase64
	if p.images > 0 {
		most = p.images
	}
	if p.imageBytes > 0 {
		bytes = p.imageBytes
	}
	switch {
	case count > most:
		return fmt.Sprintf("Too many images provided. This model supports up to %d images", most)
	case size > bytes:
		return "Request Entity Too Large"
	}
	return ""
}

func checkImage(url string) string {
	kind, data, ok := strings.Cut(strings.TrimPrefix(url, "data:"), ";base64,")
	if !ok || !strings.HasPrefix(url, "data:") {
		return "Invalid image URL. Expected a base64-encoded data URL with an image MIME type"
	}
	body, err := base64.StdEncoding.Strict().DecodeString(data)
	switch {
	case err != nil || len(body) == 0:
		return "Invalid base64 image_url."
	case len(data) > mostImage:
		return "image exceeds 5 MB maximum"
	}
	size, found, err := image.DecodeConfig(bytes.NewReader(body))
	switch {
	case err != nil:
		return "You uploaded an unsupported image. Please make sure your image is valid."
	case kind != "image/"+found:
		return fmt.Sprintf("Image does not match the provided media type %s", kind)
	case max(size.Width, size.Height) > mostEdge:
		return "At least one of the image dimensions exceed max allowed size for many-image requests: 2000 pixels"
	case min(size.Width, size.Height) < leastEdge:
		return "The image length and width do not meet the model restrictions. [height or width must be larger than 10]"
	}
	return ""
}
