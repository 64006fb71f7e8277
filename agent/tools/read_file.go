package tools

import (
	"context"
	_ "embed" // the description
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/loongclaw/loongclaw/agent/files"
	"github.com/loongclaw/loongclaw/agent/loop"
)

//go:embed read_file.md
var readFileText string

const readFileParameters = `{"type":"object","properties":{
"path":{"type":"string","description":"the file, relative to the workspace"},
"encoding":{"type":"string","enum":["utf-8","base64","hex","latin1"],"default":"utf-8"},
"offset":{"type":"integer","minimum":0,"default":0,"description":"the byte to begin at"},
"limit":{"type":"integer","minimum":1,"description":"how many bytes to read at most"}},
"required":["path"]}`

type readFile struct{ max int }

type readFileArgs struct {
	Path     *string `json:"path"`
	Encoding string  `json:"encoding"`
	Offset   int     `json:"offset"`
	Limit    int     `json:"limit"`
}

func (readFile) Spec() loop.Spec { return spec("read_file", readFileText, readFileParameters) }
func (readFile) ReadOnly() bool  { return true }
func (readFile) Foreign() bool   { return true } // files come from anywhere

// SourceOf is the file.
func (t readFile) SourceOf(raw json.RawMessage) string {
	if a, err := t.parse(raw); err == nil {
		return "file " + *a.Path
	}
	return ""
}

func (readFile) parse(raw json.RawMessage) (readFileArgs, error) {
	var a readFileArgs
	if err := decode(raw, &a); err != nil {
		return a, err
	}
	if a.Path == nil {
		return a, missing("path")
	}
	if a.Offset < 0 || a.Limit < 0 {
		return a, failed("offset and limit must not be negative")
	}
	clean, err := files.Clean(*a.Path)
	if err != nil {
		return a, err
	}
	*a.Path = clean
	return a, checkEncoding(a.Encoding)
}

func (t readFile) Judge(raw json.RawMessage, _ Env) Verdict {
	a, err := t.parse(raw)
	if err != nil {
		return deny(text(err))
	}
	return ask("read_file " + visible(*a.Path))
}

func (t readFile) Run(ctx context.Context, raw json.RawMessage, env Env) (string, error) {
	a, err := t.parse(raw)
	if err != nil {
		return "", err
	}
	foreign, err := env.Files.Foreign(ctx)
	if err != nil {
		return "", err
	}
	body, err := env.Files.Read(ctx, *a.Path)
	if err != nil {
		return "", err
	}
	from := min(a.Offset, len(body))
	room := t.max - 600 // for the notes
	if a.Encoding != "" && a.Encoding != encUTF8 {
		room /= 2 // the widest encoding, hex, doubles
	}
	if a.Limit > 0 {
		room = min(room, a.Limit)
	}
	to := min(from+room, len(body))
	isText := isUTF8(a.Encoding)
	if isText {
		from, to = wholeCharacters(body, from, to)
	}
	part, err := encodeText(body[from:to], a.Encoding)
	if err != nil {
		return "", err
	}
	if to < len(body) {
		part += fmt.Sprintf("\n[cut: bytes %d to %d of %d; call read_file with offset=%d to see more]", from, to, len(body), to)
	}
	if note := sawWritten(env, foreign.Of(*a.Path)); note != "" {
		part = note + "\n" + part
	}
	return part, nil
}

// wholeCharacters moves the ends back to where a character begins, but gives at
// least one character.
func wholeCharacters(body []byte, from, to int) (int, int) {
	for back := 0; back < utf8.UTFMax && from > 0 && from < len(body) && !utf8.RuneStart(body[from]); back++ {
		from--
	}
	end := to
	for back := 0; back < utf8.UTFMax && end > from && end < len(body) && !utf8.RuneStart(body[end]); back++ {
		end--
	}
	if end == from && from < len(body) {
		_, size := utf8.DecodeRune(body[from:])
		end = from + size
	}
	return from, end
}

var _ Tool = readFile{}
