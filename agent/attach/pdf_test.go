package attach_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"strings"
	"testing"
)

// pdfOf makes a PDF of objects, numbered from 1; the first is the catalog.
func pdfOf(version, trailer string, objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-" + version + "\n")
	offsets := make([]int, 0, len(objects))
	for i, o := range objects {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	at := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, trailer, at)
	return b.Bytes()
}

func stream(dict, content string) string {
	return fmt.Sprintf("<< /Length %d %s >>\nstream\n%s\nendstream", len(content), dict, content)
}

// aPage is a PDF of one page with a content and a part.
func aPage(version, trailer, content string) []byte {
	return pdfOf(version, trailer,
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R /F2 7 0 R >> /XObject << /X 6 0 R >> >> >>",
		content,
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
		stream("/Type /XObject /Subtype /Form /Resources << /Font << /F1 5 0 R >> /XObject << /X 6 0 R >> >>", "BT /F1 9 Tf 1 0 0 1 0 5 Tm (in a part) Tj ET /X Do"),
		"<< /Type /Font /Subtype /Type0 /BaseFont /Song /Encoding /Identity-H /ToUnicode 8 0 R >>",
		stream("", "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange 2 beginbfchar <0001> <718A> <0002> <5927> endbfchar endcmap"),
	)
}

func TestPDFsGoAsText(t *testing.T) {
	content := "BT /F1 12 Tf 72 700 Td (Dear bear,) Tj 0 -14 Td [(the ho) 20 (ney) -300 (is gone)] TJ T* (new line) Tj /F2 12 Tf 0 -14 Td <00010002> Tj ET"
	want := "Dear bear,\nthe honey is gone\nnew line\n熊大\n\n"
	for name, body := range map[string][]byte{
		"1.4": aPage("1.4", "", stream("", content)), "2.0": aPage("2.0", "", stream("", content)),
	} {
		if v := view(t, body, 1000); string(v.Data) != want || v.Problem != "" || v.MediaType != "text/plain" {
			t.Errorf("%s: %q %q, want %q", name, v.Data, v.Problem, want)
		}
	}
	// A part that is drawn out of itself ends.
	if v := view(t, aPage("1.7", "", stream("", "/X Do")), 1000); !strings.HasPrefix(string(v.Data), "in a part") || strings.Count(string(v.Data), "in a part") > 10 {
		t.Errorf("a part: %q %q", v.Data, v.Problem)
	}
	if v := view(t, aPage("1.4", "", stream("", content)), 10); string(v.Data) != "Dear bear," || v.Whole <= 10 {
		t.Errorf("cut: %q of %d", v.Data, v.Whole)
	}
}

func TestPDFsThatCannotBeReadHaveAReason(t *testing.T) {
	whole := aPage("1.7", "", stream("", "BT /F1 12 Tf (x) Tj ET"))
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	line := bytes.Repeat([]byte("q Q "), 1<<18)
	for range 512 {
		_, _ = z.Write(line)
	}
	_ = z.Close()
	for name, c := range map[string]struct {
		body []byte
		want string
	}{
		"cut off":   {whole[:len(whole)-60], "damaged or cut off"},
		"a head":    {[]byte("%PDF-1.7\n"), "damaged or cut off"},
		"no text":   {aPage("1.7", "", stream("", "0 0 9 9 re f")), "no text"},
		"encrypted": {aPage("1.7", "/ID [(0123456789abcdef) (0123456789abcdef)] /Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -4 /O ("+strings.Repeat("o", 32)+") /U ("+strings.Repeat("u", 32)+") >>", stream("", "x")), "encrypted"},
		"newer":     {aPage("1.7", "/ID [(0123456789abcdef) (0123456789abcdef)] /Encrypt << /Filter /Standard /V 5 /R 6 /Length 256 /P -4 /O ("+strings.Repeat("o", 48)+") /U ("+strings.Repeat("u", 48)+") >>", stream("", "x")), "encrypted"},
	} {
		if v := view(t, c.body, 1000); !strings.Contains(v.Problem, c.want) || len(v.Data) > 0 {
			t.Errorf("%s: %q %.40q, want %q", name, v.Problem, v.Data, c.want)
		}
	}
	if testing.Short() {
		return
	}
	// A bomb ends by the bounds of its process.
	if v := view(t, aPage("1.7", "", stream("/Filter /FlateDecode", packed.String())), 1000); !strings.Contains(v.Problem, "too long") && !strings.Contains(v.Problem, "too much memory") && !strings.Contains(v.Problem, "no text") {
		t.Errorf("a bomb: %q %.40q", v.Problem, v.Data)
	}
}
