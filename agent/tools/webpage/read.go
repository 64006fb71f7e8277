package webpage

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	htmltomarkdown "github.com/JohannesKaufmann/html-to-markdown/v2"
	"github.com/JohannesKaufmann/html-to-markdown/v2/converter"
	"golang.org/x/net/html/charset"
)

// Request is a page as it came, and which part of its text is wanted.
type Request struct {
	URL         string `json:"url"`
	ContentType string `json:"contentType"`
	Offset      int    `json:"offset"` // the byte of the text to begin at
	Room        int    `json:"room"`   // bytes of text at most
	Body        []byte `json:"-"`      // at most MaxBody
}

// Text is a part of a page's text.
type Text struct {
	Text            string   `json:"text"`
	From, To, Total int      // bytes of the whole text
	Links           []string `json:"links,omitempty"`   // addresses of the same site that the page leads to
	Problem         string   `json:"problem,omitempty"` // why there is no text, for people
}

// The limits of a page.
const (
	MaxBody      = 4 << 20
	maxText      = 2 * MaxBody // decoded
	maxLinks     = 1000
	maxLink      = 2048      // bytes
	maxLinksSize = 256 << 10 // bytes of all of them
)

// MaxResult is how large Work's result is at most, with so much room for text:
// JSON writes a character in six bytes at most.
func MaxResult(room int) int { return 6*(room+maxLinksSize+maxLink) + 64<<10 }

// Encode writes a request as the input of a task.
func (r Request) Encode() ([]byte, error) {
	head, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("webpage: %w", err)
	}
	return append(append(head, '\n'), r.Body...), nil
}

// Work is Read as a task of package worker.
func Work(_ context.Context, input []byte) ([]byte, error) {
	head, body, _ := bytes.Cut(input, []byte("\n"))
	var r Request
	if err := json.Unmarshal(head, &r); err != nil {
		return nil, fmt.Errorf("webpage: read a request: %w", err)
	}
	r.Body = body
	return json.Marshal(Read(r))
}

// Read gives a part of a page's text.
func Read(r Request) Text {
	base, err := url.Parse(r.URL)
	if err != nil {
		return Text{Problem: "its address cannot be read"}
	}
	contentType := r.ContentType
	if contentType == "" {
		contentType = http.DetectContentType(r.Body)
	}
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind = "text/plain"
	}
	isHTML := kind == "text/html" || kind == "application/xhtml+xml"
	if !isHTML && !strings.HasPrefix(kind, "text/") && !strings.HasSuffix(kind, "json") && !strings.HasSuffix(kind, "xml") {
		return Text{Problem: fmt.Sprintf("it is %.100s, which is not text", kind)}
	}
	reader, err := charset.NewReader(bytes.NewReader(r.Body), contentType)
	if err != nil {
		return Text{Problem: "its alphabet is not known"}
	}
	decoded, err := io.ReadAll(io.LimitReader(reader, maxText))
	if err != nil {
		return Text{Problem: "its text cannot be read"}
	}
	text, found := string(decoded), []string(nil)
	if isHTML {
		if text, err = htmltomarkdown.ConvertString(text, converter.WithDomain(base.Scheme+"://"+base.Host)); err != nil {
			return Text{Problem: "it cannot be turned into text"}
		}
		found = links(base, decoded)
	}
	out := part(text, r.Offset, r.Room)
	out.Links = found
	return out
}

// part gives the bytes of text from offset on that fit, whole characters only.
func part(text string, offset, room int) Text {
	text = strings.ToValidUTF8(text, "\uFFFD")
	from := min(max(offset, 0), len(text))
	for from > 0 && from < len(text) && !utf8.RuneStart(text[from]) {
		from--
	}
	to := min(from+max(room, utf8.UTFMax), len(text))
	for to > from && to < len(text) && !utf8.RuneStart(text[to]) {
		to--
	}
	return Text{Text: text[from:to], From: from, To: to, Total: len(text)}
}
