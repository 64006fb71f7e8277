package attach

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/ledongthuc/pdf"
)

// The limits of a PDF, beside those of the process that reads it.
const (
	maxPages = 2000
	maxForms = 8 // how deep pages are drawn out of parts
)

// pdfView gives a document's text, page by page.
func pdfView(body []byte, room int) View {
	text := &gathered{room: room}
	err := readPDF(body, text)
	switch {
	case err == nil, errors.Is(err, errFull):
	case errors.Is(err, pdf.ErrInvalidPassword) || strings.Contains(err.Error(), "encrypt"):
		return problem(problemEncrypted)
	case text.whole > 0:
		_ = text.add("\n[The rest cannot be read: " + problemDamaged + ".]")
	default:
		return problem(problemDamaged)
	}
	if strings.TrimSpace(text.String()) == "" {
		return problem(problemNoText)
	}
	return text.view()
}

// readPDF reads pages until there is no more room. The library says by panics what it
// cannot read.
func readPDF(body []byte, text *gathered) (err error) {
	defer func() {
		if p := recover(); p != nil {
			var ok bool
			if err, ok = p.(error); !ok || err == nil {
				err = fmt.Errorf("attach: %v", p)
			}
		}
	}()
	body = bytes.Clone(body)
	if len(body) > 9 && bytes.HasPrefix(body, []byte("%PDF-2.")) {
		copy(body[5:], "1.7") // what it reads of both is the same
	}
	r, err := pdf.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return err
	}
	pages := r.NumPage()
	for n := 1; n <= min(pages, maxPages); n++ {
		p := r.Page(n)
		if p.V.IsNull() {
			continue
		}
		before := text.whole
		w := pdfText{text: text, lineY: math.NaN()}
		w.draw(p.V.Key("Contents"), p.Resources(), 0)
		if text.whole > before {
			w.add("\n\n")
		}
	}
	return nil
}

// pdfText follows what a page writes. Text stands where it is put, so that a line ends
// where the next text stands lower or higher.
type pdfText struct {
	text  *gathered
	lineY float64 // of the line that is being written
	y     float64
	lead  float64
}

// add gives text on; errFull ends the reading, as the library ends things.
func (w *pdfText) add(s string) {
	if err := w.text.add(s); err != nil {
		panic(err)
	}
}

// show writes a piece of a line.
func (w *pdfText) show(s string) {
	if s == "" {
		return
	}
	if !math.IsNaN(w.lineY) && math.Abs(w.y-w.lineY) > 1 {
		w.add("\n")
	}
	w.lineY = w.y
	w.add(s)
}

// draw follows a content, and the parts that it is drawn out of.
func (w *pdfText) draw(content, resources pdf.Value, depth int) {
	if content.IsNull() || depth > maxForms {
		return
	}
	fonts := map[string]pdf.TextEncoding{}
	var encoding pdf.TextEncoding
	decode := func(s string) string {
		if encoding == nil {
			return ""
		}
		return strings.Map(func(r rune) rune {
			if r < ' ' && r != '\n' && r != '\t' {
				return -1
			}
			return r
		}, encoding.Decode(s))
	}
	pdf.Interpret(content, func(stack *pdf.Stack, op string) {
		args := make([]pdf.Value, stack.Len())
		for i := len(args) - 1; i >= 0; i-- {
			args[i] = stack.Pop()
		}
		at := func(i int) pdf.Value {
			if i < len(args) {
				return args[i]
			}
			return pdf.Value{}
		}
		switch op {
		case "BT":
			w.y = 0
		case "Tf":
			name := at(0).Name()
			known, ok := fonts[name]
			if !ok {
				font := pdf.Font{V: resources.Key("Font").Key(name)}
				known = font.Encoder()
				fonts[name] = known
			}
			encoding = known
		case "TL":
			w.lead = at(0).Float64()
		case "Tm":
			w.y = at(5).Float64()
		case "Td":
			w.y += at(1).Float64()
		case "TD":
			w.y += at(1).Float64()
			w.lead = -at(1).Float64()
		case "T*":
			w.y -= max(w.lead, 2)
		case "Tj":
			w.show(decode(at(0).RawString()))
		case "'", "\"":
			w.y -= max(w.lead, 2)
			w.show(decode(at(len(args) - 1).RawString()))
		case "TJ":
			for i := range at(0).Len() {
				switch x := at(0).Index(i); x.Kind() {
				case pdf.String:
					w.show(decode(x.RawString()))
				case pdf.Integer, pdf.Real:
					if x.Float64() < -180 { // as wide as a space, in thousandths of the font's size
						w.show(" ")
					}
				}
			}
		case "Do":
			form := resources.Key("XObject").Key(at(0).Name())
			if form.Key("Subtype").Name() == "Form" {
				own := form.Key("Resources")
				if own.IsNull() {
					own = resources
				}
				w.draw(form, own, depth+1)
			}
		}
	})
}
