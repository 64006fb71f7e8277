package attach

import (
	"encoding/xml"
)

// word gives the text of a Word document: its paragraphs, tables with tabs between
// their cells, and notes.
func (o *office) word(text *gathered) error {
	main, err := o.mainPart("word/document.xml", "wordprocessingml.", "ms-word.")
	if err != nil {
		return err
	}
	if err := o.flow(main, text); err != nil {
		return err
	}
	for _, notes := range []string{"word/footnotes.xml", "word/endnotes.xml", "word/comments.xml"} {
		if o.parts[notes] == nil {
			continue
		}
		if err := text.add("\n"); err != nil {
			return err
		}
		if err := o.flow(notes, text); err != nil {
			return err
		}
	}
	return nil
}

// flow gives the text of one part. Slides have the same elements under other prefixes.
func (o *office) flow(part string, text *gathered) error {
	inText, alternatives := 0, 0
	return o.walk(part, func(t xml.Token) error {
		switch t := t.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "Fallback": // for older programs, what stands before it once more
				alternatives++
			case "t":
				inText++
			case "tab":
				if t.Name.Space != "" && attr(t, "pos") == "" { // not one of the stops of a paragraph
					return text.add("\t")
				}
			case "br", "cr":
				return text.add("\n")
			}
		case xml.EndElement:
			switch t.Name.Local {
			case "Fallback":
				alternatives--
			case "t":
				inText--
			case "p", "tr":
				return text.add("\n")
			case "tc":
				return text.add("\t")
			}
		case xml.CharData:
			if inText > 0 && alternatives == 0 {
				return text.add(string(t))
			}
		}
		return nil
	})
}
