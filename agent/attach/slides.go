package attach

import (
	"encoding/xml"
	"fmt"
)

// slides gives the text of a presentation, slide by slide in the order in which they
// are shown.
func (o *office) slides(text *gathered) error {
	main, err := o.mainPart("ppt/presentation.xml", "presentationml.", "ms-powerpoint.")
	if err != nil {
		return err
	}
	to, err := o.relations(main)
	if err != nil {
		return err
	}
	var order []string
	if err := o.walk(main, func(t xml.Token) error {
		if e, ok := t.(xml.StartElement); ok && e.Name.Local == "sldId" {
			order = append(order, to[relation(e)])
		}
		return nil
	}); err != nil {
		return err
	}
	for i, part := range order {
		if err := text.add(fmt.Sprintf("Slide %d\n", i+1)); err != nil {
			return err
		}
		if err := o.flow(part, text); err != nil {
			return err
		}
		if err := text.add("\n"); err != nil {
			return err
		}
	}
	return nil
}

// relation is the id of a reference: these elements have an id of their own beside it.
func relation(e xml.StartElement) string {
	for _, a := range e.Attr {
		if a.Name.Local == "id" && a.Name.Space != "" {
			return a.Value
		}
	}
	return ""
}
