package tools

import (
	"context"
	_ "embed" // the description
	"encoding/json"
	"strings"

	"github.com/loongclaw/loongclaw/agent/files"
	"github.com/loongclaw/loongclaw/agent/loop"
)

//go:embed write_file.md
var writeFileText string

const writeFileParameters = `{"type":"object","properties":{
"path":{"type":"string","description":"the file, relative to the workspace"},
"content":{"type":"string","description":"the whole new content"},
"encoding":{"type":"string","enum":["utf-8","base64","hex","latin1"],"default":"utf-8"}},
"required":["path","content"]}`

type writeFile struct{}

type writeFileArgs struct {
	Path     *string `json:"path"`
	Content  *string `json:"content"`
	Encoding string  `json:"encoding"`
}

func (writeFile) Spec() loop.Spec { return spec("write_file", writeFileText, writeFileParameters) }
func (writeFile) ReadOnly() bool  { return false }
func (writeFile) Foreign() bool   { return false }

func (writeFile) parse(raw json.RawMessage) (path string, body []byte, err error) {
	var a writeFileArgs
	switch err = decode(raw, &a); {
	case err != nil:
		return "", nil, err
	case a.Path == nil:
		return "", nil, missing("path")
	case a.Content == nil:
		return "", nil, missing("content")
	}
	if path, err = files.CleanNew(*a.Path); err != nil {
		return "", nil, err
	}
	if path == "" {
		return "", nil, failed("the path names the workspace, not a file; add a file name")
	}
	if err = checkEncoding(a.Encoding); err != nil {
		return "", nil, err
	}
	body, err = decodeText(*a.Content, a.Encoding)
	return path, body, err
}

func (t writeFile) Judge(raw json.RawMessage, env Env) Verdict {
	path, _, err := t.parse(raw)
	if err != nil {
		return deny(text(err))
	}
	v := ask("write_file " + visible(path))
	if strings.HasPrefix(path, skillsFolder) {
		// A skill is read in later turns: whoever has a page or a file that the model
		// reads must not be able to write one, whatever the owner lets run unasked.
		v.Sources = env.Sight.Sources()
		v.Always = v.Sources != nil
	}
	return v
}

// skillsFolder is where a user's skills are (package skills).
const skillsFolder = "skills/"

func (t writeFile) Run(ctx context.Context, raw json.RawMessage, env Env) (string, error) {
	path, body, err := t.parse(raw)
	if err != nil {
		return "", err
	}
	if from := env.Sight.Outside(); len(from) > 0 {
		if err := env.Files.NoteForeign(ctx, path, from); err != nil {
			return "", err
		}
	}
	if err := env.Files.Write(ctx, path, body); err != nil {
		return "", err
	}
	return toJSON(struct {
		Success bool   `json:"success"`
		Path    string `json:"path"`
	}{true, "./workspace/" + path})
}

var _ Tool = writeFile{}
