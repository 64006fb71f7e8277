package loop

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/loongclaw/loongclaw/pkg/plain"
)

// Attached is a file that stands with a user's message, as a model is shown it: text
// in a fence, an image, or a line that says why it is neither.
type Attached struct {
	Name      string
	MediaType string // of the file, by its content
	Problem   string // why nothing of it is shown
	Shown     Shown
}

// Shown is what is shown of a file.
type Shown struct {
	Hash          string // under which it is kept
	MediaType     string // text/plain, or an image's
	Size          int    // of Data, also where that is not loaded
	Width, Height int    // of an image
	Whole         int    // bytes of all of a text of which this is the beginning; 0: this is all
	Data          []byte
	Left          bool // an image that is left out: there are too many newer ones
}

// IsImage reports whether an image is shown.
func (a *Attached) IsImage() bool {
	return a.Problem == "" && strings.HasPrefix(a.Shown.MediaType, "image/")
}

// Visible reports whether a model that sees is shown an image.
func (a *Attached) Visible() bool { return a.IsImage() && !a.Shown.Left }

// Why an image is a line.
const (
	blindLine = "This model does not see images: it cannot say what is on it."
	leftLine  = "It is not shown any more: this conversation has more images than a request takes."
)

// Text is what a model reads of a file: before its image, or in its place. sees says
// that the model sees images. It depends on nothing else, so that a conversation is
// the same in every request to a model.
func (a *Attached) Text(sees bool) string {
	is := fmt.Sprintf("%q (%s", visibleName(a.Name), a.MediaType)
	switch {
	case a.Problem != "":
		return fmt.Sprintf("[Attached by the user: the file %s). Nothing of it can be shown: %s.]", is, a.Problem)
	case a.IsImage():
		line := ""
		switch {
		case !sees:
			line = " " + blindLine
		case !a.Visible():
			line = " " + leftLine
		}
		return fmt.Sprintf("[Attached by the user: the image %s, %d × %d pixels).%s]", is, a.Shown.Width, a.Shown.Height, line)
	}
	from := "Attached by the user: the file " + is + ")"
	if a.Shown.Whole > 0 {
		from += fmt.Sprintf(", the first %d of %d bytes of its text", a.Shown.Size, a.Shown.Whole)
	}
	return fence(from, a.Shown.Hash, string(a.Shown.Data))
}

// maxShownName bounds what is told of a name, in bytes.
const maxShownName = 200

func visibleName(name string) string {
	name = plain.Clean(name)
	for len(name) > maxShownName {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return name
}

// AttachedSource names a file among the sources of what a model has before it. It has
// a space, so it is no tool's name.
func AttachedSource(name string) string { return "attachment " + visibleName(name) }

// The images of one request: as many as the providers take that say how many, and what
// of them fits into the smallest request that one takes, once they are base64.
const (
	MaxImages     = 20
	MaxImageBytes = 14 << 20
)

// LimitImages leaves out the oldest images where a conversation has more
// than so many, or more bytes of them. They go by the half at once, as Fit has it: so
// the beginning of what is sent stays the same for many turns.
func LimitImages(messages []Message, most, bytes int) {
	var shown []*Shown
	size := 0
	for i := range messages {
		for k := range messages[i].Attached {
			a := &messages[i].Attached[k]
			if !a.IsImage() {
				continue
			}
			shown, size = append(shown, &a.Shown), size+a.Shown.Size
			if len(shown) <= most && size <= bytes {
				continue
			}
			for len(shown) > 1 && (len(shown) > most/2 || size > bytes/2) {
				size -= shown[0].Size
				shown[0].Left, shown = true, shown[1:]
			}
		}
	}
}

// imageCost is about what an image takes of a model's context, in bytes of text:
// 1600 tokens.
const imageCost = 4800

// lineCost is about what the line of a file takes.
const lineCost = 200

func attachedSize(all []Attached) int {
	n := 0
	for i := range all {
		switch a := &all[i]; {
		case a.IsImage():
			n += imageCost + lineCost
		default:
			n += a.Shown.Size + lineCost
		}
	}
	return n
}
