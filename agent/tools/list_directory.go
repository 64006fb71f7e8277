package tools

import (
	"context"
	_ "embed" // the description
	"encoding/json"
	"fmt"

	"github.com/loongclaw/loongclaw/agent/files"
	"github.com/loongclaw/loongclaw/agent/loop"
)

//go:embed list_directory.md
var listDirectoryText string

const listDirectoryParameters = `{"type":"object","properties":{
"path":{"type":"string","default":".","description":"the folder, relative to the workspace"},
"offset":{"type":"integer","minimum":0,"default":0,"description":"how many entries to leave out"}}}`

// listPage is how many entries one call gives: names are at most 255 bytes, most
// of them are far shorter.
const listPage = 300

type listDirectory struct{}

type listDirectoryArgs struct {
	Path   string `json:"path"`
	Offset int    `json:"offset"`
}

type dirEntry struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

func (listDirectory) Spec() loop.Spec {
	return spec("list_directory", listDirectoryText, listDirectoryParameters)
}
func (listDirectory) ReadOnly() bool { return true }
func (listDirectory) Foreign() bool  { return true } // so do their names

func (listDirectory) parse(raw json.RawMessage) (a listDirectoryArgs, err error) {
	if err := decode(raw, &a); err != nil {
		return a, err
	}
	if a.Offset < 0 {
		return a, failed("offset must not be negative")
	}
	a.Path, err = files.Clean(a.Path)
	return a, err
}

func (t listDirectory) Judge(raw json.RawMessage, _ Env) Verdict {
	a, err := t.parse(raw)
	if err != nil {
		return deny(text(err))
	}
	return ask("list_directory " + visible(a.Path))
}

func (t listDirectory) Run(ctx context.Context, raw json.RawMessage, env Env) (string, error) {
	a, err := t.parse(raw)
	if err != nil {
		return "", err
	}
	infos, err := env.Files.List(ctx, a.Path)
	if err != nil {
		return "", err
	}
	foreign, err := env.Files.Foreign(ctx)
	if err != nil {
		return "", err
	}
	from := min(a.Offset, len(infos))
	to := min(from+listPage, len(infos))
	entries := make([]dirEntry, 0, to-from+2)
	if note := sawWritten(env, foreign.Below(a.Path)); note != "" { // names are text, too
		entries = append(entries, dirEntry{note, "note"})
	}
	for _, i := range infos[from:to] {
		kind := "file"
		if i.Dir {
			kind = "directory"
		}
		entries = append(entries, dirEntry{i.Name, kind})
	}
	if to < len(infos) {
		note := fmt.Sprintf("%d more entries; call list_directory with offset=%d to see them", len(infos)-to, to)
		entries = append(entries, dirEntry{note, "more"})
	}
	return toJSON(entries)
}

var _ Tool = listDirectory{}
