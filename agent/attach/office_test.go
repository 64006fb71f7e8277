package attach_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/attach"
)

// zipped makes a zip of names and contents.
func zipped(t testing.TB, parts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(parts); i += 2 {
		w, err := z.Create(parts[i])
		if err == nil {
			_, err = io.WriteString(w, parts[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func contents(part, kind string) string {
	return `<?xml version="1.0"?><Types><Override PartName="` + part + `" ContentType="application/vnd.openxmlformats-officedocument.` + kind + `.main+xml"/></Types>`
}

func para(runs ...string) string {
	return `<w:p><w:pPr><w:tabs><w:tab w:val="left" w:pos="720"/></w:tabs></w:pPr><w:r><w:t xml:space="preserve">` + strings.Join(runs, `</w:t></w:r><w:r><w:t xml:space="preserve">`) + `</w:t></w:r></w:p>`
}

func docx(t testing.TB, body string, more ...string) []byte {
	return zipped(t, append([]string{
		"[Content_Types].xml", contents("/word/other.xml", "wordprocessingml.document"),
		"word/other.xml", `<w:document xmlns:w="w"><w:body>` + body + `</w:body></w:document>`,
	}, more...)...)
}

func xlsx(t testing.TB, shared []string, rows string) []byte {
	var si strings.Builder
	for _, s := range shared {
		si.WriteString("<si><t>" + s + "</t></si>")
	}
	return zipped(t,
		"[Content_Types].xml", contents("/xl/workbook.xml", "spreadsheetml.sheet"),
		"xl/workbook.xml", `<workbook xmlns:r="r"><sheets><sheet name="Honey 蜂蜜" sheetId="7" r:id="rId3"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="rId3" Target="worksheets/sheet9.xml"/></Relationships>`,
		"xl/sharedStrings.xml", `<sst>`+si.String()+`</sst>`,
		"xl/styles.xml", `<styleSheet><numFmts><numFmt numFmtId="170" formatCode="yyyy&quot;年&quot;m"/><numFmt numFmtId="171" formatCode="[Red]0.0&quot;days&quot;"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/><xf numFmtId="171"/></cellXfs></styleSheet>`,
		"xl/worksheets/sheet9.xml", `<worksheet><sheetData>`+rows+`</sheetData></worksheet>`,
	)
}

func pptx(t testing.TB, slides ...string) []byte {
	list, rels := "", ""
	parts := []string{}
	for i, s := range slides {
		n := len(slides) - i // the order of the names is not that of the slides
		list += fmt.Sprintf(`<p:sldId id="25%d" r:id="rId%d"/>`, i, n)
		rels += fmt.Sprintf(`<Relationship Id="rId%d" Target="slides/slide%d.xml"/>`, n, n)
		parts = append(parts, fmt.Sprintf("ppt/slides/slide%d.xml", n), `<p:sld><a:p><a:r><a:t>`+s+`</a:t></a:r></a:p></p:sld>`)
	}
	return zipped(t, append([]string{
		"[Content_Types].xml", contents("/ppt/presentation.xml", "presentationml.presentation"),
		"ppt/presentation.xml", `<p:presentation><p:sldIdLst>` + list + `</p:sldIdLst></p:presentation>`,
		"ppt/_rels/presentation.xml.rels", `<Relationships>` + rels + `</Relationships>`,
	}, parts...)...)
}

func TestDocumentsGoAsText(t *testing.T) {
	for name, c := range map[string]struct {
		body []byte
		want string
	}{
		"word": {
			docx(t, para("Dear ", "bear,")+para("a<w:tab/>")+`<w:p><w:r><w:t>one</w:t><w:tab/><w:t>two</w:t><w:br/><w:t>three &lt;&amp;</w:t></w:r></w:p>`,
				"word/footnotes.xml", `<w:footnotes>`+para("a note")+`</w:footnotes>`),
			"Dear bear,\na\t\none\ttwo\nthree <&\n\na note\n",
		},
		"a table":    {docx(t, `<w:tbl><w:tr><w:tc>`+para("a")+`</w:tc><w:tc>`+para("b")+`</w:tc></w:tr></w:tbl>`), "a\n\tb\n\t\n"},
		"said twice": {docx(t, `<mc:AlternateContent><mc:Choice>`+para("new")+`</mc:Choice><mc:Fallback><w:r><w:t>old</w:t></w:r></mc:Fallback></mc:AlternateContent><w:p><w:del><w:delText>gone</w:delText></w:del></w:p>`), "new\n\n"},
		"a sheet": {
			xlsx(t, []string{"name", "a\tb"}, `<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c></row>`+
				`<row><c><v>1.5</v></c><c t="b"><v>1</v></c><c t="inlineStr"><is><t>in line</t></is></c><c t="e"><v>#REF!</v></c></row>`+
				`<row><c s="1"><v>45992</v></c><c s="2"><v>45992.5</v></c><c s="3"><v>2.5</v></c><c r="D9"><f>A1+1</f><v>7</v></c></row><row/>`),
			"Sheet Honey 蜂蜜\nname\t\ta b\n1.5\tTRUE\tin line\t#REF!\n2025-12-01\t2025-12-01 12:00:00\t2.5\t7\n\n",
		},
		"slides": {pptx(t, "first", "第二"), "Slide 1\nfirst\n\nSlide 2\n第二\n\n"},
	} {
		if v := view(t, c.body, 10_000); string(v.Data) != c.want || v.MediaType != "text/plain" || v.Problem != "" || v.Whole != 0 {
			t.Errorf("%s: %q (%q, %d), want %q", name, v.Data, v.Problem, v.Whole, c.want)
		}
	}
	v := view(t, docx(t, para(strings.Repeat("熊", 1000))), 10)
	if string(v.Data) != "熊熊熊" || v.Whole != 3001 {
		t.Errorf("cut: %q of %d", v.Data, v.Whole)
	}
}

// encrypted sets the flag of the first entry that says so.
func encrypted(body []byte) []byte {
	out := bytes.Clone(body)
	at := bytes.Index(out, []byte("PK\x01\x02"))
	out[at+8] |= 1
	return out
}

func TestDocumentsThatCannotBeReadHaveAReason(t *testing.T) {
	whole := docx(t, para(strings.Repeat("much to read ", 5000)))
	bomb := docx(t, strings.Repeat(`<!--`+strings.Repeat(" ", 64<<10)+`-->`, 1600))
	many := make([]string, 0, 50_000)
	for i := range 25_000 {
		many = append(many, fmt.Sprintf("word/%d.xml", i), "")
	}
	for name, c := range map[string]struct {
		body []byte
		want string
	}{
		"cut off":              {whole[:len(whole)-200], "damaged or cut off"},
		"encrypted":            {encrypted(whole), "encrypted"},
		"encrypted by Office":  {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00"), "encrypted"},
		"a bomb":               {bomb, "96 MiB"},
		"many parts":           {docx(t, "", many...), "too many parts"},
		"no text":              {docx(t, `<w:p/>`), "no text"},
		"no main part":         {zipped(t, "[Content_Types].xml", contents("/word/gone.xml", "wordprocessingml.document"), "word/a.xml", "<x/>"), "damaged"},
		"no XML":               {docx(t, `<w:p></`), "damaged or cut off"},
		"entities of its own":  {zipped(t, "[Content_Types].xml", contents("/word/d.xml", "wordprocessingml.document"), "word/d.xml", `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><w:p><w:t>&b;</w:t></w:p>`), "damaged"},
		"another alphabet":     {zipped(t, "[Content_Types].xml", contents("/word/d.xml", "wordprocessingml.document"), "word/d.xml", `<?xml version="1.0" encoding="utf-7"?><w:p/>`), "damaged"},
		"a sheet without rows": {xlsx(t, nil, `<row><c t="s"><v>99</v></c></row>`)[:900], "damaged or cut off"},
	} {
		if v := view(t, c.body, 10_000); !strings.Contains(v.Problem, c.want) || len(v.Data) > 0 {
			t.Errorf("%s: %q, %.40q, want %q", name, v.Problem, v.Data, c.want)
		}
	}
}

// TestWhatCanBeReadOfADamagedDocumentIsShown: the beginning with a word about the rest.
func TestWhatCanBeReadOfADamagedDocumentIsShown(t *testing.T) {
	v := view(t, docx(t, para("the beginning")+`<w:p><w:t>a`+"\x01"), 10_000)
	if want := "the beginning\n"; !strings.HasPrefix(string(v.Data), want) || !strings.Contains(string(v.Data), "The rest cannot be read: it is damaged or cut off.") {
		t.Errorf("%q %q", v.Data, v.Problem)
	}
}

func FuzzDetect(f *testing.F) {
	f.Add(docx(f, para("x")))
	f.Add(pngOf(f, 4, 4))
	f.Add([]byte("text"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if is := attach.Detect(body); (is.Kind == attach.Unknown) != (is.MediaType == "") {
			t.Errorf("%+v", is)
		}
	})
}
