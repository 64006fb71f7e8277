package tools

import (
	"context"
	_ "embed" // the description
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/files"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/memory"
)

//go:embed files_search.md
var filesSearchText string

const filesSearchParameters = `{"type":"object","properties":{
"query":{"type":"string","description":"words to look for"},
"path":{"type":"string","default":".","description":"only in this folder, or this file"},
"limit":{"type":"integer","minimum":1,"maximum":50,"default":20}},
"required":["query"]}`

const (
	usualHits = 20
	maxHits   = 50
	lookTime  = 20 * time.Second
)

type filesSearch struct {
	room int           // bytes of hits
	time time.Duration // how long a search may look through files
}

func (filesSearch) Spec() loop.Spec {
	return spec("files_search", filesSearchText, filesSearchParameters)
}
func (filesSearch) ReadOnly() bool { return true }
func (filesSearch) Foreign() bool  { return true } // files come from anywhere

// Limit leaves time for what was found.
func (t filesSearch) Limit() time.Duration { return t.time + 10*time.Second }

type filesSearchArgs struct {
	Query string `json:"query"`
	Path  string `json:"path"`
	Limit int    `json:"limit"`
}

func (filesSearch) parse(raw json.RawMessage) (a filesSearchArgs, m *memory.Matcher, err error) {
	if err := decode(raw, &a); err != nil {
		return a, nil, err
	}
	if strings.TrimSpace(a.Query) == "" {
		return a, nil, missing("query")
	}
	if a.Limit < 0 {
		return a, nil, failed("limit must not be negative")
	}
	if a.Limit == 0 {
		a.Limit = usualHits
	}
	a.Limit = min(a.Limit, maxHits)
	if a.Path, err = files.Clean(a.Path); err != nil {
		return a, nil, err
	}
	if m = memory.NewMatcher(a.Query); m.Empty() {
		return a, nil, failed("the query has no word in it; for marks use grep -F with exec_shell")
	}
	return a, m, nil
}

func (t filesSearch) Judge(raw json.RawMessage, _ Env) Verdict {
	a, _, err := t.parse(raw)
	if err != nil {
		return deny(text(err))
	}
	scope := "files_search " + visible(a.Query)
	if a.Path != "" {
		scope += " in " + visible(a.Path)
	}
	return ask(scope)
}

func (t filesSearch) Run(ctx context.Context, raw json.RawMessage, env Env) (string, error) {
	a, m, err := t.parse(raw)
	if err != nil {
		return "", err
	}
	inTime, cancel := context.WithTimeout(ctx, t.time)
	defer cancel()
	l := newLook(m, env.Files)
	if err := l.list(inTime, a.Path); err != nil && !errors.Is(inTime.Err(), context.DeadlineExceeded) {
		return "", err
	}
	if err := l.read(inTime); err != nil && !errors.Is(inTime.Err(), context.DeadlineExceeded) {
		return "", err
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	hits := l.best(a.Limit)
	note := l.note()
	if len(hits) == 0 {
		return "nothing was found" + note, nil
	}
	foreign, err := env.Files.Foreign(ctx)
	if err != nil {
		return "", err
	}
	for _, hit := range hits {
		if mark := sawWritten(env, foreign.Of(hit.Path)); mark != "" {
			note += "\n" + mark
			break
		}
	}
	return t.shown(hits, note)
}

// shown gives hits. Those that have no room are left out whole, so that the list can
// be read.
func (t filesSearch) shown(hits []fileHit, note string) (string, error) {
	for n := len(hits); ; n-- {
		list, err := toJSON(slices.Clip(hits[:n]))
		if err != nil {
			return "", err
		}
		if len(list) > t.room && n > 1 {
			continue
		}
		if n < len(hits) {
			note += fmt.Sprintf("\n[%d more hits had no room]", len(hits)-n)
		}
		return list + note, nil
	}
}

var _ Tool = filesSearch{}
