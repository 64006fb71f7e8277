package attach

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// View is what a model is shown of a file: an image, or text.
type View struct {
	MediaType     string `json:"mediaType,omitempty"` // of Data: image/png, image/jpeg or text/plain
	Width, Height int    // of an image
	Whole         int    `json:"whole,omitempty"`   // bytes of all of a text of which Data is the beginning
	Problem       string `json:"problem,omitempty"` // why there is none, for people and the model
	Data          []byte `json:"-"`
}

// IsImage reports whether it is one.
func (v *View) IsImage() bool { return v.MediaType == mediaPNG || v.MediaType == mediaJPEG }

// The reasons why a file of a kind that can be read has no view.
const (
	problemEmpty     = "it is empty"
	problemDamaged   = "it is damaged or cut off"
	problemEncrypted = "it is encrypted"
	problemNoText    = "it holds no text; it may be made of pictures"
	problemTime      = "it takes too long to read"
	problemMemory    = "it needs too much memory to read"
	problemInside    = "it could not be read"
)

// problem is a view of what has none.
func problem(format string, a ...any) View { return View{Problem: fmt.Sprintf(format, a...)} }

// textView is the beginning of a text, as much of it as has room.
func textView(text string, room int) View {
	if len(bytes.TrimSpace([]byte(text))) == 0 {
		return problem(problemEmpty)
	}
	v := View{MediaType: mediaText, Data: []byte(text)}
	if len(text) > room {
		v.Whole = len(text)
		end := room
		for end > 0 && !utf8.RuneStart(text[end]) {
			end--
		}
		v.Data = v.Data[:end]
	}
	return v
}

// encode writes a view as a task's result.
func (v View) encode() ([]byte, error) {
	head, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("attach: %w", err)
	}
	return append(append(head, '\n'), v.Data...), nil
}

func decodeView(b []byte) (View, error) {
	head, data, _ := bytes.Cut(b, []byte("\n"))
	var v View
	if err := json.Unmarshal(head, &v); err != nil {
		return View{}, fmt.Errorf("attach: read a result: %w", err)
	}
	v.Data = data
	return v, nil
}
