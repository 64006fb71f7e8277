package attach

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strings"
)

// The limits of a document of an office program, which is a zip of XML. What an
// archive says of its sizes is not believed: what comes out of it is counted.
const (
	maxEntries  = 20_000
	maxUnpacked = 96 << 20 // bytes of all parts that are read
)

// The directory's records (APPNOTE, 4.3): its end, and one of an entry.
const (
	zipEnd      = "PK\x05\x06"
	zipEntry    = "PK\x01\x02"
	zipLocal    = "PK\x03\x04"
	zipEndSize  = 22
	zipMaxTail  = 1<<16 + zipEndSize
	zipHeadSize = 46
)

// officeType says which office document a zip is, by the names of its parts. It looks
// through the directory and unpacks nothing; of an archive that is cut off, whose
// directory is gone, it takes the names before the parts.
func officeType(body []byte) Type {
	has := map[string]bool{}
	see := func(name string) {
		switch folder, _, _ := strings.Cut(name, "/"); {
		case name == "[Content_Types].xml":
			has[name] = true
		case folder == "word" || folder == "xl" || folder == "ppt":
			has[folder] = true
		}
	}
	if !eachEntry(body, see) {
		eachLocal(body, see)
	}
	switch {
	case !has["[Content_Types].xml"]:
	case has["word"]:
		return Type{Word, mediaWord}
	case has["xl"]:
		return Type{Sheet, mediaSheet}
	case has["ppt"]:
		return Type{Slides, mediaSlides}
	}
	return Type{}
}

// eachEntry gives the names of a zip's directory, and reports whether it has one.
func eachEntry(body []byte, see func(string)) bool {
	from := max(0, len(body)-zipMaxTail)
	end := bytes.LastIndex(body[from:], []byte(zipEnd))
	if end < 0 || from+end+zipEndSize > len(body) {
		return false
	}
	record := body[from+end:]
	at := int64(binary.LittleEndian.Uint32(record[16:]))
	for range maxEntries {
		if at+zipHeadSize > int64(len(body)) || string(body[at:at+4]) != zipEntry {
			break
		}
		name, extra, comment := int64(binary.LittleEndian.Uint16(body[at+28:])), int64(binary.LittleEndian.Uint16(body[at+30:])), int64(binary.LittleEndian.Uint16(body[at+32:]))
		if at+zipHeadSize+name > int64(len(body)) {
			break
		}
		see(string(body[at+zipHeadSize : at+zipHeadSize+name]))
		at += zipHeadSize + name + extra + comment
	}
	return true
}

// eachLocal gives the names that stand before the parts themselves.
func eachLocal(body []byte, see func(string)) {
	for range maxEntries {
		at := bytes.Index(body, []byte(zipLocal))
		if at < 0 || at+30 > len(body) {
			return
		}
		body = body[at:]
		name := int(binary.LittleEndian.Uint16(body[26:]))
		if 30+name > len(body) {
			return
		}
		see(string(body[30 : 30+name]))
		body = body[30+name:]
	}
}

// Why a document cannot be read.
var (
	errDamaged   = errors.New(problemDamaged)
	errEncrypted = errors.New(problemEncrypted)
	errBomb      = errors.New("it unpacks to more than 96 MiB")
	errParts     = errors.New("it has too many parts")
)

// officeView gives a document's text.
func officeView(body []byte, room int) View {
	doc, err := openOffice(body)
	text := &gathered{room: room}
	if err == nil {
		err = doc.read(text)
	}
	switch {
	case errors.Is(err, errFull), err == nil:
	case text.whole > 0 && !errors.Is(err, errBomb) && !errors.Is(err, errEncrypted):
		// What could be read is worth more than nothing, and says that it is not all.
		_ = text.add("\n[The rest cannot be read: " + reason(err) + ".]")
	default:
		return problem("%s", reason(err))
	}
	if strings.TrimSpace(text.String()) == "" {
		return problem(problemNoText)
	}
	return text.view()
}

// reason is an error in words that tell nothing of the file.
func reason(err error) string {
	for _, known := range []error{errDamaged, errEncrypted, errBomb, errParts} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return problemDamaged
}

// office is an open document.
type office struct {
	parts map[string]*zip.File
	left  int64 // bytes that may still be unpacked
}

func openOffice(body []byte) (*office, error) {
	if n := bytes.Count(body, []byte(zipEntry)); n > maxEntries {
		return nil, errParts // before the library makes an object of each
	}
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, errDamaged
	}
	o := &office{parts: make(map[string]*zip.File, len(z.File)), left: maxUnpacked}
	for _, f := range z.File {
		if f.Flags&1 != 0 {
			return nil, errEncrypted
		}
		o.parts[strings.TrimPrefix(f.Name, "/")] = f
	}
	return o, nil
}

// part opens the XML of a part; nil where there is none of that name.
func (o *office) part(name string) (*xml.Decoder, io.Closer, error) {
	f := o.parts[strings.TrimPrefix(name, "/")]
	if f == nil {
		return nil, nil, nil
	}
	r, err := f.Open()
	if err != nil {
		return nil, nil, errDamaged
	}
	d := xml.NewDecoder(&counted{r, &o.left})
	d.Strict = true
	d.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errDamaged } // these are UTF-8
	return d, r, nil
}

// counted is a part as it is unpacked.
type counted struct {
	r    io.Reader
	left *int64
}

func (c *counted) Read(p []byte) (int, error) {
	if *c.left <= 0 {
		return 0, errBomb
	}
	n, err := c.r.Read(p[:min(int64(len(p)), *c.left)])
	*c.left -= int64(n)
	return n, err
}

// walk gives the tokens of a part to do. A part that is not there has none.
func (o *office) walk(name string, do func(xml.Token) error) error {
	d, closer, err := o.part(name)
	if d == nil {
		return err
	}
	defer func() { _ = closer.Close() }() // only read from
	for {
		token, err := d.RawToken()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errBomb):
			return errBomb
		case err != nil:
			return errDamaged
		}
		if err := do(token); err != nil {
			return err
		}
	}
}

// attr is an attribute of an element, whatever its prefix.
func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// mainPart finds the part that a document begins with, by the kind that its list of
// contents gives it.
func (o *office) mainPart(usual string, kinds ...string) (string, error) {
	found := ""
	err := o.walk("[Content_Types].xml", func(t xml.Token) error {
		e, ok := t.(xml.StartElement)
		if !ok || e.Name.Local != "Override" || found != "" {
			return nil
		}
		for _, kind := range kinds {
			if strings.Contains(attr(e, "ContentType"), kind) && strings.HasSuffix(attr(e, "ContentType"), "main+xml") {
				found = attr(e, "PartName")
			}
		}
		return nil
	})
	if found == "" {
		found = usual
	}
	if err == nil && o.parts[strings.TrimPrefix(found, "/")] == nil {
		err = errDamaged
	}
	return found, err
}

// relations gives what a part refers to, by the ids of the references. What lies
// outside of the document is left out.
func (o *office) relations(name string) (map[string]string, error) {
	dir, base := path.Split(strings.TrimPrefix(name, "/"))
	to := map[string]string{}
	err := o.walk(dir+"_rels/"+base+".rels", func(t xml.Token) error {
		if e, ok := t.(xml.StartElement); ok && e.Name.Local == "Relationship" && attr(e, "TargetMode") != "External" && len(to) < maxEntries {
			target := attr(e, "Target")
			if !strings.HasPrefix(target, "/") {
				target = path.Join("/", dir, target)
			}
			to[attr(e, "Id")] = path.Clean(target)
		}
		return nil
	})
	return to, err
}

// read gives the document's text, by what its parts say that it is.
func (o *office) read(text *gathered) error {
	switch {
	case o.has("word/"):
		return o.word(text)
	case o.has("xl/"):
		return o.sheets(text)
	case o.has("ppt/"):
		return o.slides(text)
	}
	return errDamaged
}

func (o *office) has(folder string) bool {
	for name := range o.parts {
		if strings.HasPrefix(name, folder) {
			return true
		}
	}
	return false
}

// errFull ends the reading of what would not be shown any more.
var errFull = errors.New("attach: there is no more room")

// gathered is text as it comes, of which the beginning is kept.
type gathered struct {
	strings.Builder
	room  int
	whole int // of all that came
}

// maxCounted is how far a text is read to say how long it is.
const maxCounted = 4 << 20

func (g *gathered) add(s string) error {
	g.whole += len(s)
	if left := g.room + 4 - g.Len(); left > 0 { // a character more, so that it shows that it was cut
		_, _ = g.WriteString(s[:min(len(s), left)])
	}
	if g.whole > max(maxCounted, g.room) {
		return errFull
	}
	return nil
}

func (g *gathered) view() View {
	v := textView(strings.ToValidUTF8(g.String(), ""), g.room)
	if v.Whole > 0 {
		v.Whole = g.whole
	}
	return v
}
