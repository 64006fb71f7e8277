package attach

import (
	"encoding/xml"
	"math"
	"strconv"
	"strings"
	"time"
)

// maxColumns is how many cells of a row are shown, empty ones among them.
const maxColumns = 1024

// sheets gives the cells of a workbook, sheet by sheet, with tabs between them.
func (o *office) sheets(text *gathered) error {
	main, err := o.mainPart("xl/workbook.xml", "spreadsheetml.", "ms-excel.")
	if err != nil {
		return err
	}
	to, err := o.relations(main)
	if err != nil {
		return err
	}
	book := workbook{office: o, text: text}
	type sheet struct{ name, part string }
	var all []sheet
	if err := o.walk(main, func(t xml.Token) error {
		e, ok := t.(xml.StartElement)
		switch {
		case !ok:
		case e.Name.Local == "sheet":
			all = append(all, sheet{attr(e, "name"), to[relation(e)]})
		case e.Name.Local == "workbookPr":
			book.from1904 = attr(e, "date1904") == "1" || attr(e, "date1904") == "true"
		}
		return nil
	}); err != nil {
		return err
	}
	if err := book.readStrings(); err != nil {
		return err
	}
	if err := book.readStyles(); err != nil {
		return err
	}
	for _, s := range all {
		if err := text.add("Sheet " + s.name + "\n"); err != nil {
			return err
		}
		if err := book.sheet(s.part); err != nil {
			return err
		}
		if err := text.add("\n"); err != nil {
			return err
		}
	}
	return nil
}

// workbook is what the cells of all sheets refer to.
type workbook struct {
	*office
	text     *gathered
	strings  []string
	dates    []bool // by style: its numbers are days
	from1904 bool
}

// readStrings reads the texts that cells name by number.
func (w *workbook) readStrings() error {
	var one strings.Builder
	inText, sounds := 0, 0
	return w.walk("xl/sharedStrings.xml", func(t xml.Token) error {
		switch t := t.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "si":
				one.Reset()
			case "t":
				inText++
			case "rPh": // how it is pronounced
				sounds++
			}
		case xml.EndElement:
			switch t.Name.Local {
			case "si":
				w.strings = append(w.strings, one.String())
			case "t":
				inText--
			case "rPh":
				sounds--
			}
		case xml.CharData:
			if inText > 0 && sounds == 0 {
				one.Write(t)
			}
		}
		return nil
	})
}

// readStyles finds the styles that show a number as a date.
func (w *workbook) readStyles() error {
	own := map[string]bool{}
	inCells := false
	return w.walk("xl/styles.xml", func(t xml.Token) error {
		switch t := t.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "numFmt":
				own[attr(t, "numFmtId")] = isDate(attr(t, "formatCode"))
			case "cellXfs":
				inCells = true
			case "xf":
				if inCells {
					id := attr(t, "numFmtId")
					n, _ := strconv.Atoi(id)
					w.dates = append(w.dates, own[id] || n >= 14 && n <= 22 || n >= 27 && n <= 36 || n >= 45 && n <= 47 || n >= 50 && n <= 58)
				}
			}
		case xml.EndElement:
			if t.Name.Local == "cellXfs" {
				inCells = false
			}
		}
		return nil
	})
}

// isDate reports whether a format shows days or times: what is quoted and what stands
// in brackets apart.
func isDate(format string) bool {
	quoted, bracket := false, false
	for _, r := range strings.ToLower(format) {
		switch {
		case r == '"':
			quoted = !quoted
		case quoted:
		case r == '[':
			bracket = true
		case r == ']':
			bracket = false
		case !bracket && strings.ContainsRune("ymdhs", r):
			return true
		}
	}
	return false
}

// sheet gives the rows of a sheet.
func (w *workbook) sheet(part string) error {
	var value strings.Builder
	kind, style, reads := "", "", false
	column, last := 0, 0 // of the cell, and of the last one that was written
	return w.walk(part, func(t xml.Token) error {
		switch t := t.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "row":
				column, last = 0, 0
			case "c":
				kind, style = attr(t, "t"), attr(t, "s")
				value.Reset()
				if at := columnOf(attr(t, "r")); at > 0 {
					column = at
				} else {
					column++
				}
			case "v", "t":
				reads = true
			}
		case xml.EndElement:
			switch t.Name.Local {
			case "v", "t":
				reads = false
			case "c":
				if s := w.shown(value.String(), kind, style); s != "" && column <= maxColumns {
					gap := strings.Repeat("\t", max(0, column-max(last, 1)))
					last = column
					return w.text.add(gap + s)
				}
			case "row":
				if last > 0 {
					return w.text.add("\n")
				}
			}
		case xml.CharData:
			if reads {
				value.Write(t)
			}
		}
		return nil
	})
}

// columnOf gives the number of the column in the name of a cell, such as AB12; 0 is
// none.
func columnOf(cell string) int {
	n := 0
	for i := 0; i < len(cell) && cell[i] >= 'A' && cell[i] <= 'Z' && n < 1<<20; i++ {
		n = n*26 + int(cell[i]-'A') + 1
	}
	return n
}

// shown is a cell's value as people see it.
func (w *workbook) shown(value, kind, style string) string {
	switch kind {
	case "s":
		if n, err := strconv.Atoi(strings.TrimSpace(value)); err == nil && n >= 0 && n < len(w.strings) {
			value = w.strings[n]
		}
	case "b":
		value = map[string]string{"0": "FALSE", "1": "TRUE"}[strings.TrimSpace(value)]
	case "", "n":
		s, _ := strconv.Atoi(style)
		if s >= 0 && s < len(w.dates) && w.dates[s] {
			if n, err := strconv.ParseFloat(value, 64); err == nil {
				value = w.date(n, value)
			}
		}
	}
	return strings.NewReplacer("\t", " ", "\r\n", " ", "\n", " ").Replace(value)
}

// date is a number of days as a date and a time; what is no such number stays.
func (w *workbook) date(days float64, as string) string {
	begin := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	if w.from1904 {
		begin = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if days < 0 || days > 2_958_465 {
		return as
	}
	whole, part := math.Modf(days)
	at := begin.AddDate(0, 0, int(whole)).Add(time.Duration(math.Round(part*86400)) * time.Second)
	switch {
	case whole == 0:
		return at.Format(time.TimeOnly)
	case part == 0:
		return at.Format(time.DateOnly)
	}
	return at.Format(time.DateTime)
}
