package attach_test

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/loongclaw/loongclaw/agent/attach"
)

func TestTheKindIsThatOfTheContent(t *testing.T) {
	gb, err := simplifiedchinese.GB18030.NewEncoder().String("熊大的清单：蜂蜜，树桩")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		body string
		want string // kind and media type
	}{
		"png":              {string(pngOf(t, 20, 20)), "image image/png"},
		"jpeg":             {string(jpegOf(t, 20, 20)), "image image/jpeg"},
		"gif":              {string(gifOf(t, 20, 20)), "image image/gif"},
		"webp":             {string(webpOf(t)), "image image/webp"},
		"pdf":              {"%PDF-1.7\n", "pdf application/pdf"},
		"text":             {"plain, 纯文本\r\n\x1b[1mbold\f", "text text/plain"},
		"empty":            {"", "text text/plain"},
		"markup":           {"<svg xmlns='http://www.w3.org/2000/svg'/>", "text text/plain"},
		"byte order mark":  {"\xef\xbb\xbfa", "text text/plain"},
		"utf-16":           {"\xff\xfea\x00\x4a\x71", "text text/plain"},
		"gb 18030":         {gb, "text text/plain"},
		"word":             {string(docx(t, para("x"))), "word application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		"sheet":            {string(xlsx(t, nil, "")), "sheet application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		"slides":           {string(pptx(t, "x")), "slides application/vnd.openxmlformats-officedocument.presentationml.presentation"},
		"word, cut off":    {string(docx(t, para(strings.Repeat("long ", 999))))[:400], "word application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		"encrypted office": {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00", "sealed application/x-ole-storage"},

		"an older document": {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....W\x00o\x00r\x00d\x00", " "},
		"a program":         {"\x7fELF\x02\x01\x01\x00", " "},
		"heic":              {"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", " "},
		"a plain archive":   {string(zipped(t, "notes/a.txt", "hello")), " "},
		"java":              {string(zipped(t, "META-INF/MANIFEST.MF", "x", "xl/a.class", "y")), " "},
		"tiff":              {"II*\x00\x08\x00\x00\x00", " "},
		"not quite text":    {"text\x00text", " "},
		"odd utf-16":        {"\xff\xfea\x00\x00\xd8", " "},
		"noise":             {"\x8d\xfe\x9b\xff\xff\xff\xa0", " "},
		"mp3":               {"ID3\x04\x00", " "},
	} {
		if got := attach.Detect([]byte(c.body)); string(got.Kind)+" "+got.MediaType != c.want {
			t.Errorf("%s: %q %q, want %q", name, got.Kind, got.MediaType, c.want)
		}
	}
}

func TestTextIsShownInUTF8AndCut(t *testing.T) {
	gb, _ := simplifiedchinese.GB18030.NewEncoder().String("熊大的清单")
	for body, want := range map[string]string{
		"\xef\xbb\xbf甲": "甲", "\xff\xfe\x32\x75": "甲", "\xfe\xff\x75\x32": "甲", gb: "熊大的清单", "line\n": "line\n",
	} {
		if v := view(t, []byte(body), 100); string(v.Data) != want || v.MediaType != "text/plain" || v.Problem != "" || v.Whole != 0 {
			t.Errorf("%q: %+v, want %q", body, v, want)
		}
	}
	v := view(t, []byte(strings.Repeat("熊", 100)), 10)
	if string(v.Data) != "熊熊熊" || v.Whole != 300 {
		t.Errorf("cut in the middle of a character: %q of %d", v.Data, v.Whole)
	}
	for _, body := range []string{"", " \n\t"} {
		if v := view(t, []byte(body), 10); v.Problem != "it is empty" || v.Data != nil {
			t.Errorf("%q: %+v", body, v)
		}
	}
}
