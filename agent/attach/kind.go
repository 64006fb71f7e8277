package attach

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// Kind says how a file is read.
type Kind string

// The kinds of files.
const (
	Unknown Kind = "" // nothing can be read of it
	Text    Kind = "text"
	Image   Kind = "image"
	PDF     Kind = "pdf"
	Word    Kind = "word"
	Sheet   Kind = "sheet"
	Slides  Kind = "slides"
	Sealed  Kind = "sealed" // a document of an office program that is encrypted
)

// Type is what a file is.
type Type struct {
	Kind      Kind
	MediaType string
}

// The media types of what is read here.
const (
	mediaText   = "text/plain"
	mediaPNG    = "image/png"
	mediaJPEG   = "image/jpeg"
	mediaGIF    = "image/gif"
	mediaWebP   = "image/webp"
	mediaPDF    = "application/pdf"
	mediaWord   = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	mediaSheet  = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	mediaSlides = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
	mediaSealed = "application/x-ole-storage"
)

// signatures begin the files that have one.
var signatures = []struct {
	begins string
	is     Type
}{
	{"\x89PNG\r\n\x1a\n", Type{Image, mediaPNG}},
	{"\xff\xd8\xff", Type{Image, mediaJPEG}},
	{"GIF87a", Type{Image, mediaGIF}},
	{"GIF89a", Type{Image, mediaGIF}},
	{"%PDF-", Type{PDF, mediaPDF}},
}

// oleSignature begins the container of the older office programs, in which the newer
// ones put what they encrypt.
const oleSignature = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

// Detect says what a file is, by its content alone.
func Detect(body []byte) Type {
	for _, s := range signatures {
		if bytes.HasPrefix(body, []byte(s.begins)) {
			return s.is
		}
	}
	switch {
	case len(body) >= 12 && string(body[:4]) == "RIFF" && string(body[8:12]) == "WEBP":
		return Type{Image, mediaWebP}
	case bytes.HasPrefix(body, []byte("PK\x03\x04")):
		return officeType(body)
	case bytes.HasPrefix(body, []byte(oleSignature)):
		if bytes.Contains(body, utf16le("EncryptedPackage")) {
			return Type{Sealed, mediaSealed}
		}
		return Type{}
	}
	if _, ok := readText(body); ok {
		return Type{Text, mediaText}
	}
	return Type{}
}

func utf16le(s string) []byte {
	out := make([]byte, 0, 2*len(s))
	for i := range len(s) {
		out = append(out, s[i], 0)
	}
	return out
}

// readText gives a file's text in UTF-8, and reports whether it is text: UTF-8, UTF-16
// with its byte order mark, or GB 18030, as older programs of China write it. A text
// has no control characters but those that lay it out.
func readText(body []byte) (string, bool) {
	body = bytes.TrimPrefix(body, []byte("\uFEFF"))
	if utf8.Valid(body) {
		return string(body), !hasControls(body)
	}
	var text []byte
	var err error
	switch {
	case bytes.HasPrefix(body, []byte{0xFE, 0xFF}), bytes.HasPrefix(body, []byte{0xFF, 0xFE}):
		text, err = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Bytes(body)
	case hasControls(body):
		return "", false // before it is decoded: most of what is no text ends here
	default:
		text, err = simplifiedchinese.GB18030.NewDecoder().Bytes(body)
	}
	return string(text), err == nil && !bytes.ContainsRune(text, utf8.RuneError) && !hasControls(text)
}

func hasControls(b []byte) bool {
	for _, c := range b {
		switch {
		case c == '\t', c == '\n', c == '\r', c == '\f', c == 0x1b: // the last one colours the logs of programs
		case c < ' ', c == 0x7f:
			return true
		}
	}
	return false
}
